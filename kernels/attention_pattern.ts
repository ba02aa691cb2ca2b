// STUB
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./attention_pattern.wgsl" with { type: "text" };
const kernel=defineKernel({name:"attention_pattern",code,buffers:["read","read","read","read","write"],params:{n:"u32",H:"u32",Kh:"u32",Q:"u32",S:"u32",D:"u32",scale:"f32"}});
export function attentionPattern(stream:Stream,{q,k,start,length}:{q:Tensor;k:Tensor;start:Tensor;length:Tensor}):Tensor{const [B,Q,H,D]=q.shape as number[] as [number,number,number,number];const S=k.shape[1]!;const Kh=k.shape[2]!;const scale=1/Math.sqrt(D);const out=stream.gpu.tensor([B,H,Q,S],"pattern");const n=B*Q*H;stream.dispatch(kernel,{tensors:[q,k,start,length,out],params:{n,H,Kh,Q,S,D,scale},groups:foldGroups(Math.ceil(n/64))});return out;}
