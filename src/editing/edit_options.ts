import type { ChainHyperparameters } from "./ace_chain.ts";
import type { Facts } from "./facts.ts";
import type { StagePlan } from "./layer_plan.ts";
import type { WriteProfile } from "./write_profile.ts";
import type { EditProgress, MomentSource } from "./session.ts";
import type { SpreadHyperparameters } from "./targets.ts";

/** Editing methods. */
export type Method = "ace" | "pmet" | "memit";

/** Modes of ACE: ours, which makes whole chains follow, and the published form. */
export type AceMode = "chain" | "paper";

/** Options of `edit`. */
export interface EditOptions {
  /** Default: "ace". */
  method?: Method;
  /** Default: "chain". */
  mode?: AceMode;
  /** Facts to take support and preserved prompts from; chain mode needs them. */
  facts?: Facts;
  /** Heads and subjects that must not be used, because the edit will be judged by them. */
  exclude?: readonly string[];
  /** Seed of contexts and selections. Default: 0. */
  seed?: number;
  /** Second moments of the model. Default: computed over the first 600 documents of the corpus. */
  moments?: MomentSource & { modelHash?: string };
  /** Text whose knowledge is preserved, one document a line. Default: `corpus.txt` beside the facts file. */
  corpus?: string;
  /** Folder for computed second moments. Default: none is kept. */
  momentsCache?: string;
  /** Layers and tokens, at least of the method's own stage. Default: planned for the method. */
  plan?: StagePlan;
  /** Which score chooses paper mode's value layers. Default: "published". */
  scoring?: "published" | "contrast";
  /** How writes carry over by layer, if that was found out before. Default: tried on a sample of the facts. */
  profile?: WriteProfile;
  /** Changes to the defaults of PMET, MEMIT and paper mode. */
  spread?: Partial<SpreadHyperparameters>;
  /** Changes to the defaults of chain mode. */
  chain?: Partial<ChainHyperparameters>;
  /** Stops the work at the next step; nothing stays applied. */
  signal?: AbortSignal | undefined;
  /** Called as the work proceeds. */
  onProgress?: (progress: EditProgress) => void;
}
