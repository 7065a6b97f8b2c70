// What a user asks to have mounted (-v, --mount, --tmpfs, --volumes-from), read as Docker reads it (moby, volume/mounts:
// linux_parser.go), in its words. Pure: looks at no disk; volumes.ts makes it come true.
import { posix } from 'node:path';
import type { MountRequest } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import { tmpfsOptions } from './tmpfs-options.ts';

export interface MountSpec {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** Of a bind: absolute, on the host. */
  readonly source: string;
  /** Of a volume; "" asks for an anonymous one. */
  readonly name: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** As given after the second colon of -v; "" for the others. */
  readonly mode: string;
  /** Of a bind: "rprivate" …; "" for the others. */
  readonly propagation: string;
  /** Of a bind: -v makes a directory of a source that is not there, --mount refuses. */
  readonly createSource: boolean;
  /** Of a bind: mounts below the source are left out. */
  readonly nonRecursive: boolean;
  /** Of a read-only bind: whether mounts below the source become read-only too. */
  readonly readOnlyBelow: 'when-possible' | 'never' | 'always';
  /** Of a volume: "local" unless said otherwise. */
  readonly driver: string;
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Of a volume: what the image has at the destination is copied into an empty volume. */
  readonly copyData: boolean;
  /** Of a volume: only this directory or file of it is mounted. */
  readonly subpath: string;
  /** Of a tmpfs: mount options, comma-separated. */
  readonly tmpfs: string;
}

const PROPAGATIONS = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'];
const DEFAULT_PROPAGATION = 'rprivate';
/** Of each kind a mode may name one. z and Z (SELinux labels) and the consistency words mean nothing here, as on any host without them. */
const MODE_KINDS: readonly (readonly string[])[] = [
  ['rw', 'ro'],
  ['z', 'Z'],
  PROPAGATIONS,
  ['nocopy'],
  ['consistent', 'cached', 'delegated'],
];

const invalid = (message: string): EngineError => new EngineError('invalid_argument', message);
const invalidSpec = (raw: string, why?: string): EngineError =>
  invalid(`invalid volume specification: '${raw}'${why === undefined ? '' : `: ${why}`}`);
const invalidMode = (mode: string): EngineError => invalid(`invalid mode: ${mode}`);

/** path.Clean of Go: no trailing slash, no "." and "..". */
export const cleanPath = (path: string): string => posix.normalize(path).replace(/(?<=.)\/$/, '');

function isMode(mode: string): boolean {
  if (mode === '') return true;
  const kinds = mode.split(',').map((word) => MODE_KINDS.findIndex((words) => words.includes(word)));
  return !kinds.includes(-1) && new Set(kinds).size === kinds.length;
}

const blank: Omit<MountSpec, 'type' | 'destination'> = {
  source: '',
  name: '',
  readOnly: false,
  mode: '',
  propagation: '',
  createSource: false,
  nonRecursive: false,
  readOnlyBelow: 'when-possible',
  driver: '',
  driverOptions: {},
  labels: {},
  copyData: false,
  subpath: '',
  tmpfs: '',
};

/** One -v: "/host:/in:ro", "volume:/in", "/in". Throws "invalid volume specification: …" or "invalid mode: …". */
export function parseBind(raw: string, volumeDriver = ''): MountSpec {
  const [first = '', second, third, ...more] = raw.split(':');
  if (first === '' || more.length > 0) throw invalidSpec(raw);
  // "/in:ro" is no volume with a mode: a mode needs a source.
  if (second !== undefined && third === undefined && isMode(second)) throw invalidSpec(raw);
  const mode = third ?? '';
  if (!isMode(mode)) throw invalidMode(mode);
  const source = second === undefined ? '' : first;
  const words = mode.split(',');
  const propagation = words.find((word) => PROPAGATIONS.includes(word));
  const isBind = source.startsWith('/');
  const request: MountRequest = {
    Type: isBind ? 'bind' : 'volume',
    Source: source,
    Target: second ?? first,
    ReadOnly: words.includes('ro'),
    ...(propagation === undefined ? {} : { BindOptions: { Propagation: propagation } }),
    ...(isBind && !words.includes('nocopy')
      ? {}
      : { VolumeOptions: { NoCopy: words.includes('nocopy'), DriverConfig: { Name: volumeDriver } } }),
  };
  try {
    return { ...parseMount(request), mode, createSource: isBind };
  } catch (error) {
    if (error instanceof EngineError) throw invalidSpec(raw, error.message);
    throw error;
  }
}

/** One --mount. Throws `invalid mount config for type "bind": …`. Whether a bind's source exists is not looked at here. */
export function parseMount(request: MountRequest): MountSpec {
  const refuse = (why: string) => invalid(`invalid mount config for type "${request.Type}": ${why}`);
  const { Source = '', Target, ReadOnly = false } = request;
  if (!Target) throw refuse('field Target must not be empty');
  if (cleanPath(Target) === '/') throw refuse("invalid specification: destination can't be '/'");
  if (!Target.startsWith('/')) throw refuse(`invalid mount path: '${Target}' mount path must be absolute`);
  const common = { ...blank, destination: cleanPath(Target), readOnly: ReadOnly };
  switch (request.Type) {
    case 'bind':
      return { ...common, type: 'bind', ...bindOf(request, Source, refuse) };
    case 'volume':
      return { ...common, type: 'volume', name: Source, ...volumeOf(request, Source, refuse) };
    case 'tmpfs':
      if (request.BindOptions) throw refuse('field BindOptions must not be specified');
      if (Source !== '') throw refuse('field Source must not be specified');
      return { ...common, type: 'tmpfs', tmpfs: tmpfsOptions(request.TmpfsOptions, ReadOnly) };
    default:
      throw refuse('mount type unknown');
  }
}

type Refuse = (why: string) => EngineError;

function bindOf({ BindOptions: options = {}, VolumeOptions }: MountRequest, source: string, refuse: Refuse) {
  if (source === '') throw refuse('field Source must not be empty');
  const { Propagation = '' } = options;
  if (Propagation !== '' && !PROPAGATIONS.includes(Propagation))
    throw refuse(`invalid propagation mode: ${Propagation}`);
  if (VolumeOptions) throw refuse('field VolumeOptions must not be specified');
  if (!source.startsWith('/')) throw refuse(`invalid mount path: '${source}' mount path must be absolute`);
  const readOnlyBelow: MountSpec['readOnlyBelow'] = options.ReadOnlyForceRecursive
    ? 'always'
    : options.ReadOnlyNonRecursive
      ? 'never'
      : 'when-possible';
  return {
    source: cleanPath(source),
    propagation: Propagation === '' ? DEFAULT_PROPAGATION : Propagation,
    createSource: options.CreateMountpoint ?? false,
    nonRecursive: options.NonRecursive ?? false,
    readOnlyBelow,
  };
}

function volumeOf({ BindOptions, VolumeOptions: options = {}, ReadOnly }: MountRequest, name: string, refuse: Refuse) {
  if (BindOptions) throw refuse('field BindOptions must not be specified');
  const { Subpath: subpath = '' } = options;
  if (subpath !== '' && name === '') throw refuse('must not set Subpath when using anonymous volumes');
  if (subpath !== '' && !isLocal(subpath)) throw refuse('subpath must be a relative path within the volume');
  if (ReadOnly && name === '') throw refuse('must not set ReadOnly mode when using anonymous volumes');
  return {
    driver: options.DriverConfig?.Name ?? '',
    driverOptions: options.DriverConfig?.Options ?? {},
    labels: options.Labels ?? {},
    copyData: !options.NoCopy,
    subpath,
  };
}

/** filepath.IsLocal of Go: neither absolute, nor empty, nor leading out. */
const isLocal = (path: string): boolean => !path.startsWith('/') && !/^\.\.(\/|$)/.test(posix.normalize(path));

/** One --tmpfs: a path and its mount options. */
export function parseTmpfs(destination: string, options: string): MountSpec {
  const refuse = (why: string) => invalid(`invalid mount config for type "tmpfs": ${why}`);
  if (cleanPath(destination) === '/') throw refuse("invalid specification: destination can't be '/'");
  if (!destination.startsWith('/')) throw refuse(`invalid mount path: '${destination}' mount path must be absolute`);
  return { ...blank, type: 'tmpfs', destination: cleanPath(destination), tmpfs: options };
}

/** One --volumes-from: "container", "container:ro". Throws "invalid mode: …". */
export function parseVolumesFrom(raw: string): { container: string; readOnly: boolean } {
  if (raw === '') throw invalid('volumes-from specification cannot be an empty string');
  const colon = raw.indexOf(':');
  const mode = colon < 0 ? '' : raw.slice(colon + 1);
  const words = mode.split(',');
  if (!isMode(mode) || words.some((word) => word === 'nocopy' || PROPAGATIONS.includes(word))) throw invalidMode(mode);
  return { container: colon < 0 ? raw : raw.slice(0, colon), readOnly: words.includes('ro') };
}

/** An anonymous volume, as an image's or a container's `Volumes` names it. */
export const anonymousVolume = (destination: string, driver = ''): MountSpec => ({
  ...blank,
  type: 'volume',
  destination: cleanPath(destination),
  driver,
  copyData: true,
});
