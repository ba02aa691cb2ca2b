// STUB
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { dQ } from "./attention_backward_query.ts"; import { dKV } from "./attention_backward_key.ts";
export function attentionBackward(stream:Stream,x:{dz:Tensor;q:Tensor;k:Tensor;v:Tensor;z:Tensor;logSumExp:Tensor;start:Tensor;length:Tensor}):{q:Tensor;k:Tensor;v:Tensor}{void foldGroups; void defineKernel; return {q:dQ(stream,x),...dKV(stream,x)};}
