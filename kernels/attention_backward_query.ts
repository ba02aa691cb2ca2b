// STUB
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./attention_backward_query.wgsl" with { type: "text" };
const kernel=defineKernel({name:"attention_backward_query",code,buffers:["read","read","read","read","read","read","read","read","write"],params:{n:"u32",H:"u32",Kh:"u32",Q:"u32",S:"u32",D:"u32",scale:"f32"}});
export function dQ(stream:Stream,{dz,q,k,v,z,logSumExp,start,length}:{dz:Tensor;q:Tensor;k:Tensor;v:Tensor;z:Tensor;logSumExp:Tensor;start:Tensor;length:Tensor}):Tensor{const [B,Q,H,D]=q.shape as number[] as [number,number,number,number];const S=k.shape[1]!;const Kh=k.shape[2]!;const scale=1/Math.sqrt(D);const out=stream.gpu.tensor([B,Q,H,D],"dq");const n=B*Q*H;stream.dispatch(kernel,{tensors:[dz,q,k,v,z,logSumExp,start,length,out],params:{n,H,Kh,Q,S,D,scale},groups:foldGroups(Math.ceil(n/64))});return out;}
