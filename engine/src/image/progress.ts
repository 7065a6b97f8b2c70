// What a long operation on images tells while it runs, in the words of Docker's JSON message stream. Types only.

export interface ProgressMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly id?: string;
  readonly aux?: object;
}
