// STUB
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./attention.wgsl" with { type: "text" };
const kernel=defineKernel({name:"attention",code,buffers:["read","read","read","read","read","write","write"],params:{n:"u32",H:"u32",Kh:"u32",Q:"u32",S:"u32",D:"u32",scale:"f32"}});
export function attention(stream:Stream,{q,k,v,start,length}:{q:Tensor;k:Tensor;v:Tensor;start:Tensor;length:Tensor}):{z:Tensor;logSumExp:Tensor}{const [B,Q,H,D]=q.shape as number[] as [number,number,number,number];const S=k.shape[1]!;const Kh=k.shape[2]!;const scale=1/Math.sqrt(D);const z=stream.gpu.tensor([B,Q,H,D],"z");const logSumExp=stream.gpu.tensor([B,H,Q],"lse");const n=B*Q*H;stream.dispatch(kernel,{tensors:[q,k,v,start,length,z,logSumExp],params:{n,H,Kh,Q,S,D,scale},groups:foldGroups(Math.ceil(n/64))});return{z,logSumExp};}
