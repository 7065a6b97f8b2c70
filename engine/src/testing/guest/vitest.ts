// Stands for `vitest` in tests that run in the guest: vitest's own runner and matchers without its server, which takes
// seconds to start under emulation and a hundred megabytes of packages. No mocks, snapshots or expect.poll.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  chai,
  setState,
} from '@vitest/expect';

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, suite, test } from '@vitest/runner';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

const asymmetric: unknown = Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT);

/** `expect` with vitest's matchers: toBe, toEqual, toThrow, resolves, expect.any … */
export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  asymmetric,
);
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect as Parameters<typeof setState>[1]);
