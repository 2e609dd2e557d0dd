// PostGraphile 5 as its manual sets it up for production, reading the registry's tables under a role per request.
// Role and claims are taken from headers as they come: nothing is verified, which spares it the cost of a token.

import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const { DATABASE_URL, PORT, CONNECTIONS_MAX } = process.env;

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: DATABASE_URL,
      schemas: ["public"],
      pubsub: false,
      poolConfig: { max: Number(CONNECTIONS_MAX) },
    }),
  ],
  grafserv: { graphiql: false, watch: false, websockets: false },
  grafast: {
    explain: false,
    context({ node }) {
      const headers = node.req.headers;
      return {
        pgSettings: {
          role: headers["viewer-role"],
          "viewer.division": headers["viewer-division"],
          "viewer.organisation": headers["viewer-organisation"],
        },
      };
    },
  },
};

const instance = postgraphile(preset);
const serving = instance.createServ(grafserv);
const server = createServer();
server.keepAliveTimeout = 600_000;
await serving.addTo(server);
server.listen(Number(PORT), "127.0.0.1");
