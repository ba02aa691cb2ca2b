// STUB
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./attention_mix.wgsl" with { type: "text" };
const kernel=defineKernel({name:"attention_mix",code,buffers:["read","read","write"],params:{n:"u32",H:"u32",Kh:"u32",Q:"u32",S:"u32",D:"u32"}});
export function attentionMix(stream:Stream,{pattern,v}:{pattern:Tensor;v:Tensor}):Tensor{const [B,H,Q,S]=pattern.shape as number[] as [number,number,number,number];const Kh=v.shape[2]!;const D=v.shape[3]!;const z=stream.gpu.tensor([B,Q,H,D],"z");const n=B*Q*H*D;stream.dispatch(kernel,{tensors:[pattern,v,z],params:{n,H,Kh,Q,S,D},groups:foldGroups(Math.ceil(n/64))});return z;}
