// What the browser needs of the observed state: its types, and how a patch is applied. Loads no schema.
export { MAX_EXITS, applyPatch } from '@drydock/engine/model/apply-patch.ts';
export type {
  Mount,
  Namespaces,
  ObservedExit,
  ObservedProcess,
  Patch,
  Snapshot,
} from '@drydock/engine/model/observed.ts';
export { NAMESPACE_TYPES } from '@drydock/engine/model/namespace.ts';
export type { NamespaceType } from '@drydock/engine/model/namespace.ts';
