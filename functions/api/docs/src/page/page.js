// Shows the description of this gateway and of no other. A token is kept for the tab alone: it ends with it.
"use strict";

const KEPT = "trunkline.token";

// The token alone, however it was pasted: with its header, with its scheme, in quotes.
function bare(text) {
  return text.trim().replace(/^authorization:\s*/i, "").replace(/^bearer\s+/i, "").replace(/^(["'])(.*)\1$/, "$2").trim();
}

function keep(token) {
  try {
    if (token) sessionStorage.setItem(KEPT, token);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // A browser may forbid it: then a reload asks again.
  }
}

function kept() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

const tokens = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (go) => (given) => {
          if (!given.bearer) return go(given);
          const value = bare(String(given.bearer.value ?? ""));
          keep(value);
          return go({ ...given, bearer: { ...given.bearer, value } });
        },
        logout: (go) => (names) => {
          keep(null);
          return go(names);
        },
      },
    },
  },
});

const page = SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#api",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [tokens],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  onComplete: () => {
    const token = kept();
    if (token) page.preauthorizeApiKey("bearer", token);
  },
});
