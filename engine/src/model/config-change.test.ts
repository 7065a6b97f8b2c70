import { expect, test } from 'vitest';
import { applyChanges } from './config-change.ts';

const base = { Env: ['PATH=/bin', 'A=old'], Cmd: ['sh'], WorkingDir: '/srv', Labels: { keep: '1' } };

test.each([
  ['CMD ["ls", "-l"]', { Cmd: ['ls', '-l'] }],
  ['cmd ls -l', { Cmd: ['/bin/sh', '-c', 'ls -l'] }],
  ['ENTRYPOINT ["top"]', { Entrypoint: ['top'], Cmd: null }],
  ['CMD ["-b"]\nENTRYPOINT ["top"]', { Entrypoint: ['top'], Cmd: ['-b'] }],
  ['ENV A=new B="two words" C=\'x\'', { Env: ['PATH=/bin', 'A=new', 'B=two words', 'C=x'] }],
  ['ENV A two words', { Env: ['PATH=/bin', 'A=two words'] }],
  [
    'EXPOSE 8000 53/udp 80-82',
    { ExposedPorts: { '8000/tcp': {}, '53/udp': {}, '80/tcp': {}, '81/tcp': {}, '82/tcp': {} } },
  ],
  ['LABEL a=b "c d"="e f"', { Labels: { keep: '1', a: 'b', 'c d': 'e f' } }],
  ['ONBUILD RUN x', { OnBuild: ['RUN x'] }],
  ['SHELL ["/bin/bash", "-c"]\nCMD hi', { Shell: ['/bin/bash', '-c'], Cmd: ['/bin/bash', '-c', 'hi'] }],
  ['STOPSIGNAL SIGINT', { StopSignal: 'SIGINT' }],
  ['USER foobar', { User: 'foobar' }],
  ['VOLUME ["/a", "/b"]', { Volumes: { '/a': {}, '/b': {} } }],
  ['VOLUME /a /b', { Volumes: { '/a': {}, '/b': {} } }],
  ['WORKDIR sub/../other', { WorkingDir: '/srv/other' }],
  ['WORKDIR /x/', { WorkingDir: '/x' }],
  [
    'HEALTHCHECK NONE',
    { Healthcheck: { Test: ['NONE'], Interval: 0, Timeout: 0, Retries: 0, StartPeriod: 0, StartInterval: 0 } },
  ],
  [
    'HEALTHCHECK --interval=5s --retries=3 CMD curl x',
    {
      Healthcheck: {
        Test: ['CMD-SHELL', 'curl x'],
        Interval: 5e9,
        Timeout: 0,
        Retries: 3,
        StartPeriod: 0,
        StartInterval: 0,
      },
    },
  ],
  ['HEALTHCHECK CMD ["true"]', { Healthcheck: expect.objectContaining({ Test: ['CMD', 'true'] }) }],
  ['', {}],
])('%s', (change, expected) => {
  expect(applyChanges(base, [change])).toEqual({ ...base, ...expected });
});

test.each([
  ['FROM x', 'FROM is not a valid change command'],
  ['ENV', 'ENV must have two arguments'],
  ['ENV =x', 'ENV names can not be blank'],
  ['ENV A=b c', `Syntax error - can't find = in "c". Must be of the form: name=value`],
  ['LABEL a="b', 'unexpected end of statement while looking for matching double-quote'],
  ['EXPOSE 70000', 'invalid containerPort: 70000'],
  ['EXPOSE 9-8', 'invalid containerPort: 9-8'],
  ['HEALTHCHECK odd', 'Unknown type "ODD" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK --interval=x CMD y', 'time: invalid duration "x"'],
  ['SHELL bash', 'SHELL requires the arguments to be in JSON form'],
])('%s is refused', (change, message) => {
  expect(() => applyChanges(base, [change])).toThrow(expect.objectContaining({ kind: 'invalid_argument', message }));
});
