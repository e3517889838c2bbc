/**
 * Ends the program when nobody reads its output any more. An engine that was killed leaves the program behind; the SDK
 * would report every failed report of an error, for ever and with a whole processor.
 */
export function endWithEngine(): void {
  for (const stream of [process.stdout, process.stderr])
    if (stream.listenerCount("error") === 0) stream.on("error", () => process.exit(1));
}
