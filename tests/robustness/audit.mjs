// The audit of the npm package graphql-http, as JSON: node audit.mjs PACKAGE-FOLDER ADDRESS
import { createRequire } from 'node:module';

const [folder, url] = process.argv.slice(2);
const { serverAudits } = createRequire(`${folder}/`)('graphql-http');
const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const { id, name, status, reason } = await audit.fn();
  results.push({ id, name, status, reason });
}
console.log(JSON.stringify(results));
