import type { Client, ClientChannel } from "ssh2";
import { commandResource, previousOutput } from "./lifecycle.ts";
import type { CommandProps, Result } from "./lifecycle.ts";
import { dial } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { Output } from "./output.ts";
import type { Context } from "../shared/resource.ts";

interface RemoteProps extends CommandProps {
  connection: Connection;
}

const acceptEnv =
  "The SSH server takes only variables that its AcceptEnv allows; a Bash-like shell takes 'VAR=value command' instead.";

/** `command:remote:Command`: a command on another machine, by SSH. */
export const remoteCommand = commandResource<RemoteProps>(["connection"], ["stdout", "stderr"], run);

async function run(command: string, props: RemoteProps, previous: Partial<Result>, context: Context) {
  const output = new Output(context, props.logging);
  const { client, end } = await dial(props.connection, context);
  try {
    const environment = { ...previousOutput(props, previous), ...props.environment };
    const refuse = (name: string) => {
      if (props.environment && name in props.environment) {
        throw new Error(`could not set environment variable ${JSON.stringify(name)}. ${acceptEnv}`);
      }
      context.warn(`Unable to set ${name}. ${acceptEnv}`);
    };
    const reason = await execute(client, command, environment, refuse, (channel) =>
      finished(channel, client, output, props.stdin ?? "", context),
    ).catch((error) => {
      throw context.signal.aborted ? new Error("cancelled") : error;
    });
    if (reason) throw output.failure(reason, command);
    return output.outputs();
  } finally {
    end();
  }
}

/** The parts of ssh2's inside that `execute` needs; ssh2 is pinned, and a test notices if they change. */
interface Inside {
  _protocol: {
    env(channel: number, name: string, value: string, wantReply?: boolean): void;
    exec(channel: number, command: string, wantReply?: boolean): void;
  };
  _chanMgr: {
    _channels: Record<string, { outgoing?: { id: number }; _callbacks?: ((failed: unknown) => void)[] }>;
  };
}

/**
 * Starts a command. ssh2 sends variables without asking whether the server took them, so this asks, and starts
 * the command only when all answers are there. `refused` is called for a variable that was not taken. `started` is
 * called at once with the channel: a quick command's exit status can arrive together with the news of its start.
 */
function execute<T>(
  client: Client,
  command: string,
  environment: Record<string, string>,
  refused: (name: string) => void,
  started: (channel: ClientChannel) => Promise<T>,
): Promise<T> {
  const { _protocol: protocol, _chanMgr: channels } = client as unknown as Inside;
  const { env, exec } = protocol;
  const answers: Promise<void>[] = [];
  return new Promise((resolve, reject) => {
    protocol.env = (id, name, value) => {
      const channel = Object.values(channels._channels).find((candidate) => candidate.outgoing?.id === id);
      const answer = new Promise<boolean>((settle) => channel!._callbacks!.push((failed) => settle(!failed)));
      answers.push(answer.then((taken) => (taken ? undefined : refused(name))));
      env.call(protocol, id, name, value, true);
    };
    protocol.exec = (...request) => {
      Promise.all(answers).then(() => exec.apply(protocol, request), reject);
    };
    client.on("close", () => reject(new Error("the connection was closed before the command started")));
    client.exec(command, { env: environment }, (error, channel) =>
      error ? reject(error) : resolve(started(channel)),
    );
  });
}

/** Feeds the command, collects its output and waits for its end; returns why it failed, if it did. */
function finished(
  channel: ClientChannel,
  client: Client,
  output: Output,
  stdin: string,
  { signal }: Context,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let status: string | undefined = "the connection was lost before the command ended";
    channel.on("data", output.receiver("stdout"));
    channel.stderr.on("data", output.receiver("stderr"));
    channel.on("exit", (code: number | null, name?: string) => {
      if (code === 0) status = undefined;
      else
        status = code === null ? `Process exited from signal ${name}` : `Process exited with status ${code}`;
    });
    const settle = () => resolve(signal.aborted ? "cancelled" : status);
    channel.on("close", settle);
    client.on("close", settle);
    // A command may end without reading its input; that is no failure.
    channel.on("error", () => {});
    channel.end(stdin);
  });
}
