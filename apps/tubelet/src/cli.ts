import { readFileSync } from 'node:fs';
import { commandNamed, commandsText } from './commands.js';

async function main([name, ...words]: readonly string[]): Promise<number> {
  if (name === undefined) {
    console.error(commandsText());
    return 2;
  }
  if (['help', '--help', '-h'].includes(name)) {
    console.log(commandsText());
    return 0;
  }
  if (name === '--version' || name === '-V') {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    console.log((JSON.parse(manifest) as { version: string }).version);
    return 0;
  }
  const command = commandNamed(name);
  if (command !== undefined) return command.run(words);
  console.error(`error: tubelet has no command ${JSON.stringify(name)}.\n\n${commandsText()}`);
  return 2;
}

process.exitCode = await main(process.argv.slice(2));
