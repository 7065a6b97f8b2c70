// For tests, benchmarks and other people's suites: an image that holds busybox and nothing else, made here from Debian's
// busybox-static in the three forms a client has it: a directory, `docker save`'s tar, and an OCI layout's tar. GNU tar
// writes the archives, so what the engine reads was written by somebody else. The same options give the same bytes.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The image's `config` as the OCI image specification has it, and Docker's additions to it. */
export interface TestImageConfig {
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[];
  readonly Healthcheck?: { readonly Test: readonly string[]; readonly Interval?: number; readonly Retries?: number };
}

export interface TestImageOptions {
  /** `name:tag`. Default `busybox:latest`. */
  readonly tag?: string;
  /** More tags of the same image, as `docker save a b` writes them. */
  readonly tags?: readonly string[];
  /** Merged into `{Cmd: ['sh'], Env: [PATH]}`. */
  readonly config?: TestImageConfig;
  /** Files of the first layer besides busybox, by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  /** One more layer each: files by absolute path; null is a deletion (`.wh.`). */
  readonly layers?: readonly Readonly<Record<string, string | null>>[];
}

export interface TestImage {
  /** Holds all of it; `remove` deletes it. */
  readonly directory: string;
  /** The first layer as a directory: the root file system of a bare runtime. */
  readonly rootfs: string;
  /** What `docker load` takes: manifest.json, config, `DIGEST/layer.tar`. */
  readonly dockerTar: string;
  /** The same image as an OCI layout: index.json, oci-layout, blobs/sha256. */
  readonly ociTar: string;
  /** The root file system alone: what `docker import` takes. */
  readonly rootfsTar: string;
  readonly tag: string;
  /** `sha256:…` of the config: Docker's image id. */
  readonly id: string;
  /** `sha256:…` of the manifest in the OCI layout. */
  readonly manifestDigest: string;
  /** `sha256:…` of the uncompressed layers, lowest first. */
  readonly diffIds: readonly string[];
  readonly remove: () => void;
}

const BUSYBOX = '/usr/bin/busybox';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** When everything in it was made: 2024-01-01T00:00:00Z. */
const MADE_SECONDS = 1_704_067_200;
const MADE = '2024-01-01T00:00:00Z';
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const ETC: Readonly<Record<string, string>> = {
  '/etc/passwd': [
    'root:x:0:0:root:/root:/bin/sh',
    'daemon:x:1:1:daemon:/usr/sbin:/bin/false',
    'www-data:x:33:33:www-data:/var/www:/bin/false',
    'postgres:x:70:70::/var/lib/postgresql:/bin/sh',
    'nobody:x:65534:65534:nobody:/home:/bin/false',
    '',
  ].join('\n'),
  '/etc/group': [
    'root:x:0:',
    'daemon:x:1:',
    'users:x:100:daemon',
    'www-data:x:33:',
    'postgres:x:70:',
    'nobody:x:65534:',
    '',
  ].join('\n'),
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const descriptor = (mediaType: string, bytes: Uint8Array) => ({
  mediaType,
  digest: `sha256:${sha256(bytes)}`,
  size: bytes.length,
});
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** An uncompressed tar of a directory's content: sorted, root's, of one moment. */
function tarOf(directory: string, file: string): void {
  const fixed = [
    '--sort=name',
    `--mtime=@${MADE_SECONDS}`,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--format=ustar',
  ];
  execFileSync('tar', [...fixed, '-C', directory, '-cf', file, '--transform=s,^\\./,,', '--exclude-backups', '.']);
}

function writeFiles(directory: string, files: Readonly<Record<string, string | null>>): void {
  for (const [path, content] of Object.entries(files)) {
    const name = content === null ? join(dirname(path), `.wh.${path.slice(path.lastIndexOf('/') + 1)}`) : path;
    const target = join(directory, name);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content ?? '', { mode: content?.startsWith('#!') === true ? 0o755 : 0o644 });
  }
}

/** Fills an empty directory with busybox under all its names and the folders and accounts that programs expect. */
export function busyboxFiles(rootfs: string): void {
  for (const name of [
    'bin',
    'dev',
    'etc',
    'home',
    'proc',
    'root',
    'sys',
    'tmp',
    'usr/bin',
    'usr/sbin',
    'var/opt',
    'var/tmp',
    'var/www',
  ])
    mkdirSync(join(rootfs, name), { recursive: true, mode: 0o755 });
  for (const name of ['tmp', 'var/tmp']) execFileSync('chmod', ['1777', join(rootfs, name)]);
  copyFileSync(BUSYBOX, join(rootfs, 'bin/busybox'));
  const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).split('\n');
  for (const applet of applets)
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', applet));
  symlinkSync('/bin/env', join(rootfs, 'usr/bin/env'));
  writeFiles(rootfs, ETC);
}

/** Makes the image in a directory of its own below `parent` (default: the system's temporary one). Needs busybox-static and GNU tar. */
export function busyboxImage(options: TestImageOptions = {}, parent = tmpdir()): TestImage {
  const directory = mkdtempSync(join(parent, 'drydock-image-'));
  try {
    return makeImage(options, directory);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

function makeImage(options: TestImageOptions, directory: string): TestImage {
  const rootfs = join(directory, 'rootfs');
  mkdirSync(rootfs);
  busyboxFiles(rootfs);
  writeFiles(rootfs, options.files ?? {});
  const trees = [rootfs];
  for (const [index, files] of (options.layers ?? []).entries()) {
    const tree = join(directory, `layer-${index + 1}`);
    mkdirSync(tree);
    writeFiles(tree, files);
    trees.push(tree);
  }
  const layers = trees.map((tree, index) => {
    const file = join(directory, index === 0 ? 'rootfs.tar' : `layer-${index}.tar`);
    tarOf(tree, file);
    return { file, digest: sha256(readFileSync(file)), size: statSync(file).size };
  });
  const diffIds = layers.map(({ digest }) => `sha256:${digest}`);
  const config = json({
    architecture: ARCHITECTURE[process.arch] ?? process.arch,
    os: 'linux',
    created: MADE,
    config: { Env: [PATH], Cmd: ['sh'], ...options.config },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: layers.map((_layer, index) => ({ created: MADE, created_by: `test-image layer ${index}` })),
  });
  const tags = [options.tag ?? 'busybox:latest', ...(options.tags ?? [])];
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: layers.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: `sha256:${digest}`,
      size,
    })),
  });
  return {
    directory,
    rootfs,
    dockerTar: dockerSaveTar(directory, config, layers, tags),
    ociTar: ociLayoutTar(directory, config, manifest, layers, tags),
    rootfsTar: join(directory, 'rootfs.tar'),
    tag: tags[0] ?? '',
    id: `sha256:${sha256(config)}`,
    manifestDigest: `sha256:${sha256(manifest)}`,
    diffIds,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

type Layer = { readonly file: string; readonly digest: string; readonly size: number };

function dockerSaveTar(directory: string, config: Buffer, layers: readonly Layer[], tags: readonly string[]): string {
  const tree = join(directory, 'docker');
  mkdirSync(tree);
  const Config = `${sha256(config)}.json`;
  writeFileSync(join(tree, Config), config);
  for (const { file, digest } of layers) {
    mkdirSync(join(tree, digest), { recursive: true });
    copyFileSync(file, join(tree, digest, 'layer.tar'));
  }
  const Layers = layers.map(({ digest }) => `${digest}/layer.tar`);
  writeFileSync(join(tree, 'manifest.json'), json([{ Config, RepoTags: tags, Layers }]));
  tarOf(tree, join(directory, 'docker.tar'));
  return join(directory, 'docker.tar');
}

function ociLayoutTar(
  directory: string,
  config: Buffer,
  manifest: Buffer,
  layers: readonly Layer[],
  tags: readonly string[],
): string {
  const tree = join(directory, 'oci');
  const blobs = join(tree, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  for (const bytes of [config, manifest]) writeFileSync(join(blobs, sha256(bytes)), bytes);
  for (const { file, digest } of layers) copyFileSync(file, join(blobs, digest));
  const described = descriptor('application/vnd.oci.image.manifest.v1+json', manifest);
  // The name as containerd and docker write it, and the tag as the specification has it: readers know one or the other.
  const manifests = tags.map((name) => ({
    ...described,
    annotations: {
      'io.containerd.image.name': `docker.io/${name.includes('/') ? '' : 'library/'}${name}`,
      'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
    },
  }));
  writeFileSync(join(tree, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(
    join(tree, 'index.json'),
    json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }),
  );
  tarOf(tree, join(directory, 'oci.tar'));
  return join(directory, 'oci.tar');
}
