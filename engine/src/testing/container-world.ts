// For API tests: a daemon with busybox's image in it, and what tests do to containers, in few words.
import { createReadStream, existsSync, readFileSync, readlinkSync } from 'node:fs';
import { request } from 'node:http';
import { type Answer, TestDaemon } from './daemon.ts';
import { busyboxImage } from './test-image.ts';

/** inspect's State. */
export interface InspectedState {
  Status: string;
  Pid: number;
  ExitCode: number;
  Health: { Status: string; FailingStreak: number; Log: { ExitCode: number; Output: string }[] };
}

const POLL_MS = 20;

export class ContainerWorld {
  readonly daemon: TestDaemon;

  private constructor(daemon: TestDaemon) {
    this.daemon = daemon;
  }

  static async start(): Promise<ContainerWorld> {
    const daemon = await TestDaemon.start({ learners: false });
    const image = busyboxImage();
    try {
      const world = new ContainerWorld(daemon);
      await world.load(image.dockerTar);
      return world;
    } catch (error) {
      await daemon.end();
      throw error;
    } finally {
      image.remove();
    }
  }

  end(): Promise<void> {
    return this.daemon.end();
  }

  load(archive: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-tar' };
      const { engineSocket } = this.daemon;
      const call = request({ socketPath: engineSocket, method: 'POST', path: '/images/load', headers }, (answer) => {
        answer.resume().on('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`Cannot load "${archive}": ${answer.statusCode}`));
        });
      });
      call.on('error', reject);
      createReadStream(archive).pipe(call);
    });
  }

  get(path: string): Promise<Answer> {
    return this.daemon.call('GET', `/containers/${path}`, undefined, this.daemon.engineSocket);
  }

  post(path: string, body?: object): Promise<Answer> {
    return this.daemon.call('POST', `/containers/${path}`, body, this.daemon.engineSocket);
  }

  delete(path: string): Promise<Answer> {
    return this.daemon.call('DELETE', `/containers/${path}`, undefined, this.daemon.engineSocket);
  }

  /** Its id. */
  async create(body: object, name = ''): Promise<string> {
    const { status, body: answer } = await this.post(`create?name=${name}`, { Image: 'busybox', ...body });
    if (status !== 201) throw new Error(`Cannot create: ${status} ${JSON.stringify(answer)}`);
    return (answer as { Id: string }).Id;
  }

  /** Creates and starts; one that traps signals says so first. Its id. */
  async run(body: object, name = ''): Promise<string> {
    const id = await this.create(body, name);
    const { status, body: answer } = await this.post(`${id}/start`);
    if (status !== 204) throw new Error(`Cannot start: ${status} ${JSON.stringify(answer)}`);
    if (JSON.stringify(body).includes('trap ')) await this.until(() => this.#traps(id));
    return id;
  }

  /** Whether its first process has set a handler: /proc/PID/status, SigCgt. Before that a signal is lost on pid 1. */
  async #traps(id: string): Promise<boolean> {
    const { Pid } = await this.state(id);
    const caught = /^SigCgt:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${Pid}/status`, 'utf8'))?.[1] ?? '0';
    return (BigInt(`0x${caught}`) & ((1n << 14n) | (1n << 9n))) !== 0n; // SIGTERM, SIGUSR1
  }

  async inspect(id: string) {
    const { status, body } = await this.get(`${id}/json`);
    if (status !== 200) throw new Error(`Cannot inspect: ${status} ${JSON.stringify(body)}`);
    return body as { Name: string; State: InspectedState; RestartCount: number; HostConfig: { NetworkMode: string } };
  }

  async state(id: string): Promise<InspectedState> {
    return (await this.inspect(id)).State;
  }

  async name(id: string): Promise<string> {
    return (await this.inspect(id)).Name.slice(1);
  }

  async listed(id: string): Promise<{ Status: string }> {
    const { body } = await this.get(`json?all=1&filters={"id":["${id}"]}`);
    const [entry] = body as { Status: string }[];
    if (!entry) throw new Error(`Container ${id} is not listed`);
    return entry;
  }

  async wait(id: string, condition = 'not-running'): Promise<object> {
    return (await this.post(`${id}/wait?condition=${condition}`)).body as object;
  }

  async exec(id: string, Cmd: readonly string[]): Promise<void> {
    const { engineSocket } = this.daemon;
    const { body } = await this.post(`${id}/exec`, { Cmd });
    const { Id } = body as { Id: string };
    await this.daemon.call('POST', `/exec/${Id}/start`, { Detach: true }, engineSocket);
    await this.until(async () => {
      const { body: now } = await this.daemon.call('GET', `/exec/${Id}/json`, undefined, engineSocket);
      return !(now as { Running: boolean }).Running;
    });
  }

  /** The next event of this kind. */
  event(filters: object): Promise<object> {
    return new Promise((resolve, reject) => {
      const path = `/events?filters=${encodeURIComponent(JSON.stringify(filters))}`;
      const call = request({ socketPath: this.daemon.engineSocket, path }, (answer) => {
        answer.once('data', (line: Buffer) => {
          resolve(JSON.parse(line.toString().split('\n')[0] ?? '') as object);
          call.destroy();
        });
        answer.on('error', () => undefined);
      });
      call.on('error', reject);
      call.end();
    });
  }

  /** Until it holds; the test's own time is the guard. */
  async until(holds: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }

  gone(pids: readonly number[]): Promise<void> {
    return this.until(() => pids.every((pid) => !existsSync(`/proc/${pid}`)));
  }

  /** "net:[4026531840]" */
  namespace(pid: number, kind: string): string {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  }
}
