import { formatBytes } from "../../src/display/bytes.ts";
import { formatDuration } from "../../src/display/duration.ts";
import { estimateEdit } from "../../src/editing/edit_estimate.ts";
import { checkRequests } from "../../src/editing/edit_model.ts";
import { availableBytes } from "../../src/editing/edit_memory.ts";
import type { EditOptions } from "../../src/editing/edit_options.ts";
import { planRequests } from "../../src/editing/plan_edit.ts";
import { type EditRequest, showRequest } from "../../src/editing/requests.ts";
import type { Model } from "../../src/model/model.ts";
import { answers } from "./answers.ts";
import { type CommonFlags, handOut } from "./command.ts";

/**
 * Prints what an edit would do and cost; the model stays as it is.
 *
 * @param model Unedited model.
 * @param wishes Requests as the user wrote them.
 * @param options Options of the edit.
 * @param flags Where the result goes.
 */
export async function dryRun(
  model: Model,
  wishes: readonly EditRequest[],
  options: EditOptions,
  flags: Pick<CommonFlags, "out" | "json">,
): Promise<void> {
  const requests = await checkRequests(model, wishes, options);
  const { signal } = options;
  const present = await answers(model, requests, signal);
  const plan = await planRequests(model, requests, options);
  signal?.throwIfAborted();
  const estimate = await estimateEdit(model, requests, plan, options);
  const { layers, searchPrompts, keptPrompts, momentTokens, gpuBytes, largestStage, hostBytes, seconds } = estimate;
  const available = availableBytes(model.gpu);
  const text = [
    ...requests.map((request) => `Would edit ${showRequest(request)}`),
    `Present answer${present.length > 1 ? "s" : ""}: ${present.join("; ")}`,
    "",
    ...plan.reasons.map((reason) => `- ${reason}`),
    "",
    `Layers to write: ${layers.join(", ")}`,
    `Search over ${searchPrompts} prompts; ${keptPrompts} prompts are kept`,
    `Second moments: ${momentTokens === 0 ? "stored already" : `${momentTokens} tokens to count`}`,
    `Memory on the GPU beyond the model: at most ${formatBytes(gpuBytes)}, for ${largestStage}, of ${
      available === null ? "an unknown number of bytes" : formatBytes(available)
    } available`,
    `Memory of the computer for second moments: ${formatBytes(hostBytes)}`,
    `Time: at most about ${formatDuration(1000 * seconds)}`,
    "Nothing was changed",
  ].join("\n");
  signal?.throwIfAborted();
  await handOut(flags, { requests, present, plan, estimate, availableBytes: available }, text);
}
