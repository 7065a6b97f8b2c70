// The text of the systemd units: the engine (root, its control groups are its own affair) and the lab server (no rights). Pure.

/**
 * @typedef {object} UnitFacts
 * @property {string} suffix empty for the usual instance, else "-" and a word made of its root
 * @property {string} node path of the node program
 * @property {string} clone
 * @property {string[]} codeParts of the clone that the server reads
 * @property {string} run DRYDOCK_RUN
 * @property {string} socketFolder
 * @property {string} labData
 * @property {string} user
 * @property {string[]} engineArguments what stands after the node program
 * @property {string} engineProfile AppArmor profile, or empty
 * @property {Record<string, string>} engineEnvironment
 * @property {Record<string, string>} serverEnvironment
 */

/** A value inside a unit: % begins a specifier and a quote ends it (systemd.syntax(7)). @param {string} text */
const quoted = (text) => `"${text.replaceAll('%', '%%').replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** @param {Record<string, string>} environment */
const environmentLines = (environment) =>
  Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`);

/** @param {{ suffix: string }} facts */
export const engineUnitName = ({ suffix }) => `drydock-engine${suffix}.service`;
/** @param {{ suffix: string }} facts */
export const labUnitName = ({ suffix }) => `drydock-lab${suffix}.service`;

/** @param {UnitFacts} facts */
export function engineUnit(facts) {
  return [
    '# Written by Drydock’s set-up; "npm run uninstall" removes it.',
    '[Unit]',
    'Description=Drydock engine daemon',
    'After=local-fs.target network.target',
    '',
    '[Service]',
    `ExecStartPre=/bin/mkdir -p -m 0711 ${quoted(facts.run)}`,
    `ExecStart=${[facts.node, ...facts.engineArguments].map(quoted).join(' ')}`,
    ...environmentLines(facts.engineEnvironment),
    ...(facts.engineProfile ? [`AppArmorProfile=${facts.engineProfile}`] : []),
    '# The engine makes control groups of its own below its unit, and systemd leaves them alone.',
    'Delegate=yes',
    '# Sandboxes outlive the daemon: only the daemon itself is ended.',
    'KillMode=process',
    'Restart=always',
    'RestartSec=1',
    'OOMScoreAdjust=-500',
    'LimitNOFILE=1048576',
    'TasksMax=infinity',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

/** @param {UnitFacts} facts */
export function labUnit(facts) {
  /** @param {string} from @param {string} to */
  const bind = (from, to) => quoted(`${from}:${to}`);
  return [
    '# Written by Drydock’s set-up; "npm run uninstall" removes it.',
    '[Unit]',
    'Description=Drydock lab server',
    `After=${engineUnitName(facts)}`,
    `Wants=${engineUnitName(facts)}`,
    '',
    '[Service]',
    `User=${facts.user}`,
    `Group=${facts.user}`,
    'ExecStart=/opt/node --enable-source-maps build/server.mjs',
    'WorkingDirectory=/opt/drydock',
    ...environmentLines(facts.serverEnvironment),
    '# Of the machine’s files it sees the system’s programs, the code, its own data and the folder of lab.sock.',
    'ProtectSystem=strict',
    'ProtectHome=tmpfs',
    'TemporaryFileSystem=/opt:ro /var:ro /run:ro /srv:ro /mnt:ro /media:ro',
    `BindReadOnlyPaths=${bind(facts.node, '/opt/node')}`,
    ...facts.codeParts.map((part) => `BindReadOnlyPaths=${bind(`${facts.clone}/${part}`, `/opt/drydock/${part}`)}`),
    `BindPaths=${bind(facts.labData, '/var/lib/drydock-lab')}`,
    `BindReadOnlyPaths=${bind(facts.socketFolder, '/run/drydock')}`,
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectProc=invisible',
    'ProcSubset=pid',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'AmbientCapabilities=',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'RestrictNamespaces=yes',
    'RestrictSUIDSGID=yes',
    'RestrictRealtime=yes',
    'LockPersonality=yes',
    '# Node asks for the list of interfaces by netlink.',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'UMask=0077',
    'Restart=always',
    'RestartSec=1',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}
