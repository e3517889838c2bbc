import { mkdir } from "node:fs/promises";
import type { Compute } from "./compute.ts";
import { type Daemon, daemonLog, inLab, startDaemon, waitForDaemon } from "./namespaces.ts";
import { controlAddress, lab, run } from "./paths.ts";
import { LabError, phase } from "./phase.ts";

const etc = (name: string): string => run("openstack", "etc", name);
/** A path below the lab's state as its processes see it. */
export const state = (...parts: string[]): string => run("state", ...parts);
const python = "/usr/bin/python3";

/** The options that make an OpenStack program read the lab's files, the common one first. */
export const config = (...names: string[]): string[] =>
  ["common.conf", ...names].map((name) => `--config-file=${etc(name)}`);

/**
 * A service of OpenStack under uWSGI.
 * @param args what the program reads as its command line, for one that asks no variable for its files
 */
export function wsgi(
  name: string,
  port: number,
  program: string,
  env: Record<string, string>,
  args: string[] = [],
): Daemon {
  const options = [
    "--master",
    "--lazy-apps",
    "--enable-threads",
    "--processes=1",
    "--threads=8",
    "--die-on-term",
  ];
  return {
    name,
    command: [
      ...["uwsgi_python3", `--http-socket=0.0.0.0:${port}`, `--wsgi-file=/usr/bin/${program}`, ...options],
      // uWSGI and the services would both send the length of an empty answer.
      ...[
        "--rem-header=Content-Length",
        "--buffer-size=65535",
        "--need-app",
        `--procname-prefix-spaced=${name}`,
      ],
      ...(args.length > 0 ? [`--pyargv=${args.join(" ")}`] : []),
    ],
    env,
  };
}

const keystone = wsgi("keystone", 5000, "keystone-wsgi-public", {
  OS_KEYSTONE_CONFIG_FILES: etc("keystone.conf"),
});
const placement = wsgi("placement", 8778, "placement-api", { OS_PLACEMENT_CONFIG_DIR: etc("") });
const mariadb: Daemon = { name: "mariadb", command: ["mariadbd", `--defaults-file=${etc("my.cnf")}`] };
const rabbitmq: Daemon = {
  name: "rabbitmq",
  command: ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
  env: {
    HOME: state("rabbitmq"),
    RABBITMQ_NODENAME: "rabbit@localhost",
    RABBITMQ_MNESIA_BASE: state("rabbitmq", "mnesia"),
    RABBITMQ_LOG_BASE: run("log"),
    RABBITMQ_ENABLED_PLUGINS_FILE: state("rabbitmq", "plugins"),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
  },
};
const foundation: Daemon[] = [
  mariadb,
  rabbitmq,
  { name: "memcached", command: ["memcached", "-u", "root", "-l", "127.0.0.1", "-m", "32"] },
  { name: "virtlogd", command: ["virtlogd"] },
  { name: "libvirtd", command: ["libvirtd", "-f", etc("libvirtd.conf")] },
];
const nova = (name: string): Daemon => ({ name, command: [name, ...config("nova.conf")] });
const apis: Daemon[] = [
  placement,
  { name: "neutron-server", command: ["neutron-server", ...config("neutron.conf", "ml2.conf")] },
  ...["nova-conductor", "nova-api", "nova-scheduler"].map(nova),
  { name: "glance-api", command: ["glance-api", ...config("glance-api.conf")] },
];
const neutronAgent = (kind: string, ...program: string[]): Daemon => ({
  name: `neutron-${kind}-agent`,
  command: [...program, ...config("neutron.conf", "neutron-agents.conf")],
});
const agents: Daemon[] = [
  ...["linuxbridge", "l3", "metadata"].map((kind) => neutronAgent(kind, `neutron-${kind}-agent`)),
  neutronAgent("dhcp", python, run("openstack", "network", "dhcp_agent.py")),
];
const novaCompute = (compute: Compute): Daemon => ({
  name: "nova-compute",
  command: [
    python,
    run("openstack", "compute", "nova_compute.py"),
    ...config("nova.conf", `nova-compute-${compute}.conf`),
  ],
});

/** Runs programs of one set-up one after the other; their output goes to a log of that name. */
export async function inOrder(name: string, ...commands: string[][]): Promise<void> {
  const log = { file: lab("log", `${name}.log`), append: true };
  for (const [file = "", ...args] of commands) {
    await inLab(file, args, { stdout: log, stderr: log }).catch(() => {
      throw new LabError(`${file} ${args.find((arg) => !arg.startsWith("-")) ?? ""} failed`, log.file);
    });
  }
}

/** Runs a command of admin.py. */
export async function administer(...args: string[]): Promise<void> {
  await inOrder("admin", [python, run("openstack", "admin.py"), ...args]);
}

/** Waits until a service answers. */
export const answers = (daemon: string, port: number, path = "/"): Promise<void> =>
  // Some answer 300 or 401 without a token: any answer will do.
  waitForDaemon(daemon, [
    "curl",
    "--silent",
    "--output",
    "/dev/null",
    `http://${controlAddress}:${port}${path}`,
  ]);

async function startDatabases(): Promise<void> {
  await inOrder("mariadb-install", [
    ...["mariadb-install-db", "--no-defaults", "--user=root", `--datadir=${state("mariadb")}`],
    `--tmpdir=${run()}`,
    ...["--skip-test-db", "--auth-root-authentication-method=normal"],
  ]);
  await startDaemon(mariadb);
  const client = [`--socket=${run("mariadb.sock")}`, "--user=root"];
  await waitForDaemon("mariadb", ["mariadb-admin", ...client, "ping"]);
  await inOrder("databases", ["mariadb", ...client, "--execute", `source ${etc("databases.sql")}`]);
}

/** Makes the schemas side by side; Keystone starts as soon as its own is there. */
async function fillDatabases(): Promise<void> {
  const novaManage = ["nova-manage", ...config("nova.conf")];
  const keystoneManage = ["keystone-manage", `--config-file=${etc("keystone.conf")}`];
  const owner = ["--keystone-user=root", "--keystone-group=root"];
  const url = `http://${controlAddress}:5000/v3/`;
  const urls = ["admin", "internal", "public"].map((kind) => `--bootstrap-${kind}-url=${url}`);
  await Promise.all([
    (async () => {
      await inOrder(
        "keystone-setup",
        [...keystoneManage, "fernet_setup", ...owner],
        [...keystoneManage, "credential_setup", ...owner],
        [...keystoneManage, "db_sync"],
        [
          ...keystoneManage,
          "bootstrap",
          "--bootstrap-password=lab",
          "--bootstrap-region-id=RegionOne",
          ...urls,
        ],
      );
      await startDaemon(keystone);
      await answers("keystone", 5000, "/v3");
      await administer("accounts");
    })(),
    inOrder("neutron-setup", [
      "neutron-db-manage",
      ...config("neutron.conf", "ml2.conf"),
      "upgrade",
      "heads",
    ]),
    inOrder(
      "glance-setup",
      ["glance-manage", ...config("glance-api.conf"), "db_sync"],
      ["placement-manage", `--config-file=${etc("placement.conf")}`, "db", "sync"],
    ),
    inOrder(
      "nova-setup",
      [...novaManage, "api_db", "sync"],
      [
        ...[...novaManage, "cell_v2", "map_cell0"],
        "--database_connection=mysql+pymysql://root:lab@127.0.0.1/nova_cell0?charset=utf8",
      ],
      [...novaManage, "cell_v2", "create_cell", "--name=cell1"],
      [...novaManage, "db", "sync"],
    ),
  ]);
}

/** Starts OpenStack from nothing in fresh namespaces. */
export async function startOpenStack(compute: Compute): Promise<void> {
  const folders = [
    "mariadb",
    "rabbitmq",
    "keystone/fernet",
    "keystone/credential",
    "glance/images",
    "glance/staging",
  ];
  for (const folder of [...folders, "nova/instances", "neutron", "lock"])
    await mkdir(lab("state", folder), { recursive: true, mode: 0o755 });
  for (const daemon of foundation.slice(1)) await startDaemon(daemon);
  await phase("MariaDB", startDatabases);
  await phase("OpenStack's databases and accounts", fillDatabases);
  await resumeOpenStack(compute);
  await phase("external network and flavors", () => administer("networks"), daemonLog("admin"));
}

/** Starts what does not run of OpenStack's services and waits until all of them have reported since. */
export async function resumeOpenStack(compute: Compute): Promise<void> {
  const start = Math.floor(Date.now() / 1000);
  const running = async (): Promise<void> => {
    await Promise.all(foundation.map(startDaemon));
    await waitForDaemon("mariadb", [
      "mariadb-admin",
      `--socket=${run("mariadb.sock")}`,
      "--user=root",
      "ping",
    ]);
    await startDaemon(keystone);
    await answers("keystone", 5000, "/v3");
    await waitForDaemon("rabbitmq", ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/5672"]);
    await Promise.all(apis.map(startDaemon));
    await Promise.all([
      answers("placement", 8778),
      answers("neutron-server", 9696),
      answers("nova-api", 8774),
    ]);
    await Promise.all([...agents, novaCompute(compute)].map(startDaemon));
    await answers("glance-api", 9292);
    await administer("ready", String(start));
    await inOrder("nova-setup", ["nova-manage", ...config("nova.conf"), "cell_v2", "discover_hosts"]);
  };
  await phase("OpenStack's services", running, daemonLog("admin"));
}

/** Hands the guest image to Glance. */
export async function uploadImage(compute: Compute, folder: string): Promise<void> {
  await administer("image", compute, folder, "debian-13");
}
