// What inspect and list say of a container's network: which namespace it has, and no address where it has none.
import type { LiveContainer } from './live-container.ts';

const NO_ENDPOINT = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};

/** EndpointSettings by network's name: what was asked for, and what is true. */
export const endpointsOf = ({ record }: LiveContainer): Record<string, typeof NO_ENDPOINT> =>
  Object.fromEntries(Object.entries(record.networks).map(([name, asked]) => [name, { ...NO_ENDPOINT, ...asked }]));

/** NetworkSettings of moby's swagger. */
export function networkSettings(container: LiveContainer) {
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: container.running === null ? '' : `/proc/${container.running.pid}/ns/net`,
    Ports: container.running === null ? {} : exposedPorts(container),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: '',
    Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    MacAddress: '',
    Networks: endpointsOf(container),
  };
}

/** Exposed, and published nowhere: null. */
const exposedPorts = ({ record }: LiveContainer): Record<string, null> =>
  Object.fromEntries(Object.keys(record.config.ExposedPorts ?? {}).map((port) => [port, null]));

/** The list's `Ports` of one that runs. */
export const listedPorts = (container: LiveContainer): { PrivatePort: number; Type: string }[] =>
  container.running === null
    ? []
    : Object.keys(container.record.config.ExposedPorts ?? {})
        .map((port) => port.split('/'))
        .map(([number, type]) => ({ PrivatePort: Number(number), Type: type ?? 'tcp' }));
