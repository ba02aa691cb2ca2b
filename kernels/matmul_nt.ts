// STUB
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./matmul_nt.wgsl" with { type: "text" };
const kernel=defineKernel({name:"matmul_nt",code,buffers:["read","read","read","write"],params:{rows:"u32",cols:"u32",inner:"u32",btype:"u32",acc:"u32",biastype:"u32"}});
const T:Record<string,number>={f32:0,f16:1,bf16:2};
export function matmulNt(stream:Stream,{a,b,bias}:{a:Tensor;b:Tensor;bias?:Tensor},o:{out?:Tensor;accumulate?:boolean;label?:string}={}):Tensor{const inner=a.shape.at(-1)!;const rows=a.length/inner;const cols=b.shape[0]!;const out=o.out??stream.gpu.tensor([rows,cols],o.label??"matmul_nt");stream.dispatch(kernel,{tensors:[a,b,bias??b,out],params:{rows,cols,inner,btype:T[b.dtype]!,acc:o.accumulate?1:0,biastype:bias?T[bias.dtype]!:9},groups:foldGroups(Math.ceil(rows*cols/64))});return out;}
