/**
 * A client of the Deno kernel that loses no output.
 *
 * The kernel drains its outputs in one loop and says "idle" from another, so idle can overtake what was printed. This
 * client waits for the reply, for idle, and then for a short silence.
 *
 * @module
 */
import { type CellOutput, OutputCollector } from "./cell_outputs.ts";
import { type JsonObject, type JupyterMessage, MessageCodec } from "./jupyter_message.ts";
import { ZmtpSocket } from "./zmtp.ts";

/** A kernel could not start, died, or ran past a time limit. */
export class KernelError extends Error {
  /** Name of the error. */
  override readonly name = "KernelError";
}

/** Options of {@linkcode KernelClient.start}. */
export interface KernelOptions {
  /** Working directory, that of the notebook. */
  cwd: string;
  /** Variables on top of this process's own. */
  env?: Record<string, string>;
}

/** What a cell gave. */
export interface CellResult {
  /** Outputs in order; a later cell may still replace a display. */
  outputs: CellOutput[];
  /** Number of the execution within the session. */
  executionCount: number | null;
  /** Whether the cell ended in an error. */
  failed: boolean;
}

/**
 * Silence after which all outputs of a cell have come, in milliseconds. With 30 none was lost in three runs of 120 cells,
 * but on a machine with other work a last line came after it and was taken for the next cell's.
 */
const SILENCE_MS = 200;

/** Time that a kernel may take to answer first, in milliseconds. */
const START_MS = 30_000;

const POLL_MS = 50;

/** Characters of the kernel's own messages that an error quotes. */
const QUOTED = 1000;

/** One running kernel; disposing it ends its process. */
export class KernelClient implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;
  readonly #codec: MessageCodec;
  readonly #collector = new OutputCollector();
  readonly #replies = new Map<string, JsonObject>();
  #sockets: { shell: ZmtpSocket; iopub: ZmtpSocket } | undefined;
  #idle = new Set<string>();
  #heardAt = 0;
  #log = "";
  #ended = false;
  #closing = false;
  #failure: unknown;

  private constructor(process: Deno.ChildProcess, folder: string, codec: MessageCodec) {
    this.#process = process;
    this.#folder = folder;
    this.#codec = codec;
    process.status.then(() => this.#ended = true);
    this.#readLog();
  }

  /**
   * Starts a kernel and waits until it answers.
   *
   * @param options Folder and environment.
   * @returns The kernel, owned by the caller.
   * @throws {KernelError} If it does not answer in time.
   */
  static async start(options: KernelOptions): Promise<KernelClient> {
    const folder = await Deno.makeTempDir({ prefix: "ace-kernel-" });
    const key = crypto.randomUUID();
    const [shell_port, iopub_port, stdin_port, control_port, hb_port] = freePorts(5);
    const connection = { shell_port, iopub_port, stdin_port, control_port, hb_port, ip: "127.0.0.1", key };
    const path = `${folder}/connection.json`;
    const file = { ...connection, transport: "tcp", signature_scheme: "hmac-sha256", kernel_name: "deno" };
    await Deno.writeTextFile(path, JSON.stringify(file), { mode: 0o600 });
    const process = new Deno.Command(Deno.execPath(), {
      args: ["jupyter", "--kernel", "--conn", path],
      cwd: options.cwd,
      env: { NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const client = new KernelClient(process, folder, await MessageCodec.create(key));
    try {
      await client.#open(shell_port, iopub_port);
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Runs a cell.
   *
   * @param code Source of the cell.
   * @param limitMs Time that it may take, in milliseconds.
   * @returns Its outputs.
   * @throws {KernelError} If it takes longer, or the kernel dies. The kernel is of no use afterwards.
   */
  async execute(code: string, limitMs: number): Promise<CellResult> {
    const outputs = this.#collector.startCell();
    const request = { code, silent: false, store_history: true, user_expressions: {}, allow_stdin: false };
    const id = await this.#request("execute_request", { ...request, stop_on_error: false });
    const start = performance.now();
    await this.#until(
      () => this.#replies.has(id) && this.#idle.has(id) && performance.now() - this.#heardAt >= SILENCE_MS,
      start + limitMs,
      () => `Cannot run the cell: it took longer than ${limitMs / 1000} s; make it shorter or raise the time limit`,
    );
    const reply = this.#replies.get(id) as JsonObject;
    return {
      outputs,
      executionCount: typeof reply.execution_count === "number" ? reply.execution_count : null,
      failed: reply.status !== "ok",
    };
  }

  /** Ends the kernel's process and removes its connection file. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#sockets?.shell[Symbol.dispose]();
    this.#sockets?.iopub[Symbol.dispose]();
    if (!this.#ended) this.#process.kill("SIGKILL");
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #open(shellPort: number, iopubPort: number): Promise<void> {
    const deadline = performance.now() + START_MS;
    const late = (): string => `Cannot start the Deno kernel: it did not answer within ${START_MS / 1000} s`;
    let sockets: { shell: ZmtpSocket; iopub: ZmtpSocket } | undefined;
    while (sockets === undefined) {
      try {
        const iopub = await ZmtpSocket.connect(iopubPort, "SUB");
        sockets = { iopub, shell: await ZmtpSocket.connect(shellPort, "DEALER") };
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
        await this.#pause(deadline, late);
      }
    }
    this.#sockets = sockets;
    this.#listen(sockets.shell, (message) => {
      if (message.parent !== undefined) this.#replies.set(message.parent, message.content);
    });
    this.#listen(sockets.iopub, (message) => this.#hear(message));
    // A subscription takes effect some time after it is sent: ask until the broadcast of an answer is heard.
    for (let heard = false; !heard;) {
      const id = await this.#request("kernel_info_request", {});
      await this.#until(() => this.#replies.has(id), deadline, late);
      await this.#pause(deadline, late);
      heard = this.#idle.has(id);
    }
  }

  #hear(message: JupyterMessage): void {
    this.#heardAt = performance.now();
    if (message.type !== "status") return this.#collector.add(message);
    if (message.content.execution_state === "idle" && message.parent !== undefined) this.#idle.add(message.parent);
  }

  async #listen(socket: ZmtpSocket, take: (message: JupyterMessage) => void): Promise<void> {
    try {
      for (let frames = await socket.receive(); frames; frames = await socket.receive()) {
        take(await this.#codec.decode(frames));
      }
    } catch (error) {
      // Closing a socket ends its wait with an error too.
      if (!this.#closing) this.#failure = error;
    }
  }

  async #readLog(): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      this.#log = (this.#log + text).slice(-QUOTED);
    }
  }

  async #request(type: string, content: JsonObject): Promise<string> {
    const { id, frames } = await this.#codec.encode(type, content);
    await this.#sockets?.shell.send(frames);
    return id;
  }

  async #until(reached: () => boolean, deadline: number, late: () => string): Promise<void> {
    while (!reached()) await this.#pause(deadline, late, 5);
  }

  async #pause(deadline: number, late: () => string, ms = POLL_MS): Promise<void> {
    if (this.#ended) {
      throw new KernelError(`Cannot go on: the Deno kernel ended by itself and said: ${this.#log.trim() || "nothing"}`);
    }
    if (this.#failure !== undefined) {
      throw new KernelError(`Cannot go on: the connection to the kernel broke: ${this.#failure}`);
    }
    if (performance.now() > deadline) throw new KernelError(late());
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** Finds ports that are free now; they are asked for together, so that none comes twice. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}
