// STUB
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { addInto } from "./add_into.ts"; import { matmulTn } from "./matmul_tn.ts";
export function rankK(stream:Stream,{x,into}:{x:Tensor;into:Tensor},o:{scale?:number}={}):void{ void foldGroups; void defineKernel; const t=matmulTn(stream,{a:x,b:x}); addInto(stream,{x:t,into},{scale:o.scale??1}); t.dispose(); }
