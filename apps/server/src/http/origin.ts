// Which Host and Origin headers belong to this lab. A name that only resolves to this machine (DNS rebinding) and a page
// of somebody else are refused by exact comparison; nothing is guessed from the request itself.
export interface OriginList {
  /** The Host header names this lab. */
  hostAllowed(host: string | undefined): boolean;
  /** The Origin header is one of ours, and belongs to the Host the request was sent to. Absent and "null" are not. */
  originAllowed(origin: string | undefined, host: string | undefined): boolean;
  /** Reached under TLS (through a proxy): cookies are Secure then. */
  isSecure(host: string | undefined): boolean;
  /** Shown to whoever came by another name. */
  readonly origins: readonly string[];
}

/** The loopback names with the port really listened on, and what the configuration adds. */
export function originList(port: number, extraOrigins: readonly string[]): OriginList {
  const origins = ['localhost', '127.0.0.1', '[::1]']
    .map((name) => new URL(`http://${name}:${port}`).origin)
    .concat(extraOrigins);
  const byHost = new Map(origins.map((origin) => [new URL(origin).host, origin]));
  const originOf = (host: string | undefined): string | undefined =>
    host === undefined ? undefined : byHost.get(withoutDefaultPort(host.toLowerCase(), byHost));
  return {
    origins,
    hostAllowed: (host) => originOf(host) !== undefined,
    originAllowed: (origin, host) => origin !== undefined && origin === originOf(host),
    isSecure: (host) => originOf(host)?.startsWith('https:') ?? false,
  };
}

/** Some clients write the scheme's default port into Host; URL.host never has it. */
function withoutDefaultPort(host: string, known: ReadonlyMap<string, string>): string {
  const bare = host.replace(/:(80|443)$/, '');
  const origin = known.get(bare);
  if (origin === undefined) return host;
  return host === `${bare}:${origin.startsWith('https:') ? 443 : 80}` ? bare : host;
}
