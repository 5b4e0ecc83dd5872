// The command line over the fake tools. Arguments: the name of a tool or '-' for kscope itself, then the command line.
import { main } from '../../lib/cli/main.ts';

const [tool, ...argv] = process.argv.slice(2);
const tools = new URL('../fixtures/tools/', import.meta.url);
process.exit(await main(argv, tool === '-' ? undefined : tool, { tools }));
