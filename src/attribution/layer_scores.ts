// STUB
import type { Model } from "../model/model.ts";
export interface LayerScores {
  value: { attn: number[]; ffn: number[] };
  contrast: { attn: number[]; ffn: number[] };
  query: number[];
}
export function scoreLayers(
  _m: Model,
  _i: { prompts: number[][]; target: number; alternatives: number[] },
): Promise<LayerScores> {
  throw new Error("stub");
}
