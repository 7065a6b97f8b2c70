// Who `--user` and `--group-add` name: looked up in the text of the container's /etc/passwd and /etc/group, by moby's rules
// and in its words. Pure.
import { EngineError } from '../model/engine-error.ts';
import type { OciUser } from '../model/oci-spec.ts';

/** Text of etc/passwd and etc/group; null where there is no such file. */
export interface Accounts {
  readonly passwd: string | null;
  readonly group: string | null;
}

export interface ResolvedUser {
  readonly user: OciUser;
  /** Of the matching line of passwd; "/" where there is none. */
  readonly home: string;
}

interface PasswdLine {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}
interface GroupLine {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const MAX_ID = 2 ** 31 - 1;
const RANGE = `uids and gids must be in range 0-${MAX_ID}`;

/** Comments and broken lines are no entries: a number that is none counts as 0 in moby, which would make it root's. */
function lines<T>(text: string | null, parse: (fields: readonly string[]) => T | null): T[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const parsed = line.trim() === '' || line.startsWith('#') ? null : parse(line.split(':'));
    return parsed === null ? [] : [parsed];
  });
}

const idOf = (field: string | undefined): number | null =>
  field !== undefined && /^\d{1,10}$/.test(field) ? Number(field) : null;

const passwdLines = (text: string | null): PasswdLine[] =>
  lines(text, ([name, , uid, gid, , home]) => {
    const [own, primary] = [idOf(uid), idOf(gid)];
    return name && own !== null && primary !== null ? { name, uid: own, gid: primary, home: home ?? '' } : null;
  });

const groupLines = (text: string | null): GroupLine[] =>
  lines(text, ([name, , gid, members]) => {
    const id = idOf(gid);
    return name && id !== null ? { name, gid: id, members: (members ?? '').split(',') } : null;
  });

const refuse = (message: string): never => {
  throw new EngineError('invalid_argument', message);
};

/** A number as it is; null for a name. */
function numeric(text: string): number | null {
  if (!/^[+-]?\d+$/.test(text)) return null;
  const id = Number(text);
  return id < 0 || id > MAX_ID ? refuse(RANGE) : id;
}

/** `asked`: "", "user", "uid", "user:group", "uid:gid" … Throws invalid_argument for a name that is not there. */
export function resolveUser(asked: string, groupAdd: readonly string[], accounts: Accounts): ResolvedUser {
  const [userArg = '', groupArg = ''] = asked.split(':');
  const uidArg = numeric(userArg);
  const found = passwdLines(accounts.passwd).find(({ name, uid }) =>
    userArg === '' ? uid === 0 : uidArg === null ? name === userArg : uid === uidArg,
  );
  if (found === undefined && userArg !== '' && uidArg === null)
    refuse(`unable to find user ${userArg}: no matching entries in passwd file`);
  const groups = groupLines(accounts.group);
  const gid = groupArg === '' ? (found?.gid ?? 0) : groupId(groupArg, groups);
  // A group that is named stands alone; else come all that list the user.
  const listed =
    groupArg === '' && found
      ? groups.filter(({ members }) => members.includes(found.name)).map((group) => group.gid)
      : [];
  const added = groupAdd.map((name) => groupId(name, groups));
  const uid = found?.uid ?? uidArg ?? 0;
  return {
    user: { uid, gid, additionalGids: [...new Set([gid, ...listed, ...added])] },
    home: found?.home || '/',
  };
}

function groupId(asked: string, groups: readonly GroupLine[]): number {
  const id = numeric(asked);
  if (id !== null) return id;
  const found = groups.find(({ name }) => name === asked);
  return found?.gid ?? refuse(`unable to find group ${asked}: no matching entries in group file`);
}
