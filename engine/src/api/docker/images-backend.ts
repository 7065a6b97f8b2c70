// What the routes of images need of the engine; nothing more. Answers are in the words of Docker's API already.
export type Told = (message: object) => void;
export type Labels = Readonly<Record<string, string>>;

export interface ImagesBackend {
  list(options: {
    all: boolean;
    sharedSize: boolean;
    filters: {
      dangling?: boolean;
      references?: readonly string[];
      matchesLabels: (labels: Labels) => boolean;
      before?: string;
      since?: string;
      untilMs?: number;
    };
  }): Promise<readonly { readonly Size: number }[]>;
  inspect(name: string): Promise<{ readonly Size: number }>;
  history(name: string): Promise<readonly object[]>;
  remove(name: string, options: { force: boolean; prune: boolean }): Promise<readonly object[]>;
  prune(filters: {
    danglingOnly: boolean;
    matchesLabels: (labels: Labels) => boolean;
    untilMs?: number;
  }): Promise<object>;
  tag(name: string, repository: string, tag: string): void;
  /** Throws before the first byte for an image that is not there. */
  save(names: readonly string[]): AsyncIterable<Uint8Array>;
  load(archive: AsyncIterable<Uint8Array>, tell: Told): Promise<void>;
}
