// The service serves this client as `client.js` beside the pages.
export * from '../clients/javascript/symbolon.js';
