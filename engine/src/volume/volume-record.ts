// A managed volume as data: what is written of it to disk, and which names and options Docker's local driver takes (moby,
// volume/local). Pure.
import { z } from 'zod';
import { EngineError } from '../model/engine-error.ts';

/** Says of a volume that nobody named it: prune takes only these unless told otherwise. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

const texts = z.record(z.string(), z.string());

export const volumeRecordSchema = z.object({
  name: z.string(),
  createdAtMs: z.number(),
  /** null: none were given. Clients tell the difference to {}. */
  labels: texts.nullable(),
  /** Of the local driver: type, device and o are a mount's. null: a directory. */
  options: texts.nullable(),
  /** The container it was made for: where a crash cut its making short, the volume goes with it. */
  madeFor: z.string().optional(),
});
export type VolumeRecord = Readonly<z.infer<typeof volumeRecordSchema>>;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** Of a directory entry, with room for a prefix while it is made. */
const NAME_MAX = 240;

/** Throws invalid_argument in Docker's words. */
export function checkVolumeName(name: string): void {
  const refuse = (why: string) => new EngineError('invalid_argument', `create ${name}: ${why}`);
  if (name.length === 1) throw refuse('volume name is too short, names should be at least two alphanumeric characters');
  if (name.length > NAME_MAX) throw refuse(`volume name is too long, at most ${NAME_MAX} characters are allowed`);
  if (!NAME.test(name))
    throw refuse(
      `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. ` +
        'If you intended to pass a host directory, use absolute path',
    );
}

const NEEDS: Readonly<Record<string, readonly string[]>> = {
  device: ['type'],
  type: ['device'],
  o: ['device', 'type'],
};

/** Options of the local driver. Throws invalid_argument in Docker's words. */
export function checkVolumeOptions(name: string, options: Readonly<Record<string, string>>): void {
  const refuse = (why: string) => new EngineError('invalid_argument', `create ${name}: ${why}`);
  for (const option of Object.keys(options))
    if (!['type', 'o', 'device', 'size'].includes(option)) throw refuse(`invalid option: "${option}"`);
  for (const [option, needed] of Object.entries(NEEDS))
    for (const one of needed)
      if (options[option] !== undefined && options[one] === undefined)
        throw refuse(`missing required option: "${one}"`);
  if (options['size'] !== undefined) throw refuse('quota size requested but no quota support');
}

/** Only "local" is there. Throws not_found as for a plugin that is not installed. */
export function checkVolumeDriver(name: string, driver: string): void {
  if (driver !== '' && driver !== 'local')
    throw new EngineError(
      'not_found',
      `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
    );
}

/** Whether it has to be mounted before it is used. */
export const isMounted = ({ options }: VolumeRecord): boolean =>
  options !== null && (options['type'] !== undefined || options['device'] !== undefined);

export const isAnonymous = ({ labels }: VolumeRecord): boolean =>
  labels !== null && Object.hasOwn(labels, ANONYMOUS_LABEL);
