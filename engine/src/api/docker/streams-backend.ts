// What the routes that stream need of the engine; nothing more.
import type { AttachAsked } from '../../container/attach.ts';
import type { EngineEvent } from '../../container/events.ts';
import type { LogsAsked } from '../../container/logs.ts';
import type { OutputPiece, Session } from '../../container/session.ts';
import type { StatsSample } from '../../container/stats-shape.ts';
import type { ExecConfig, ExecState } from '../../model/exec-config.ts';

export interface StreamsBackend {
  attach(container: string, asked: AttachAsked): Session;
  resize(container: string, cols: number, rows: number): Promise<void>;
  /** `terminal`: what it gives is not framed. It ends early when the signal says so. */
  logs(
    container: string,
    asked: LogsAsked,
    signal: AbortSignal,
  ): { readonly terminal: boolean; readonly pieces: AsyncIterable<readonly OutputPiece[]> };
  /** Now; null while the container does not run. `name` and `id` are there in any case. */
  stats(container: string): { readonly id: string; readonly name: string; readonly sample: StatsSample | null };
  /** How much of what was written to a socket the other end has yet to read. */
  unreadBytes(fd: number): number;
  readonly events: {
    recent(): readonly EngineEvent[];
    listen(told: (event: EngineEvent) => void): () => void;
  };
  readonly exec: {
    create(container: string, config: ExecConfig): string;
    inspect(id: string): ExecState;
    check(id: string): ExecConfig;
    start(id: string, size: ExecConfig['ConsoleSize']): Session;
    startDetached(id: string, size: ExecConfig['ConsoleSize']): Promise<void>;
    resize(id: string, cols: number, rows: number): Promise<void>;
  };
}
