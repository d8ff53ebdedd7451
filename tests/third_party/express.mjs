// A service that verifies access tokens with express-jwt and jwks-rsa, as their documentation shows it.
//
// ISSUER, AUDIENCE, ALGORITHMS (ES256: express-jwt knows no EdDSA) and JWKS_URL come from the
// environment.

import express from 'express';
import { expressjwt } from 'express-jwt';
import jwksRsa from 'jwks-rsa';

const { ISSUER: issuer, AUDIENCE: audience, ALGORITHMS, JWKS_URL: jwksUri } = process.env;

const authenticated = expressjwt({
  // Keys are kept by their `kid`, so one that is unknown is fetched at once, and a key that is known
  // never waits for the network. The limit keeps strangers from making us fetch for each `kid` that
  // they think of.
  secret: jwksRsa.expressJwtSecret({
    jwksUri,
    cache: true,
    rateLimit: true,
    jwksRequestsPerMinute: 10,
  }),
  issuer,
  audience,
  algorithms: ALGORITHMS.split(','),
  // express-jwt does not look at `typ` by itself (RFC 9068, 4).
  isRevoked: async (_request, token) => token?.header.typ !== 'at+jwt',
});

const app = express();
app.get('/', authenticated, (request, response) => response.json({ sub: request.auth.sub }));
app.use((error, _request, response, _next) => {
  response.status(error.name === 'UnauthorizedError' ? 401 : 503).json({ reason: String(error) });
});
const server = app.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));
