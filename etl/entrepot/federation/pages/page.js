"use strict";
// Signing happens here, with a key file that the browser reads and never sends. What is signed are
// bytes that say what they are about (`act`): a challenge can never stand for a question.
(() => {
  const root = document.body.dataset.root;
  const byId = name => document.getElementById(name);
  const DOMAIN = "entrepot/person/v1\0";
  const hex = bytes => Array.from(new Uint8Array(bytes), one => one.toString(16).padStart(2, "0")).join("");
  const utf8 = text => new TextEncoder().encode(text);
  const sha256 = async text => hex(await crypto.subtle.digest("SHA-256", utf8(text)));

  function say(text, good = false) {
    const place = byId("message");
    place.textContent = text;
    place.classList.toggle("good", good);
  }

  async function readKey(input) {
    const file = input.files[0];
    if (!file) throw new Error("badKey");
    const text = await file.text();
    const inner = text.replace(/-----[A-Z ]+-----/g, "").replace(/\s+/g, "");
    let key;
    try {
      const der = Uint8Array.from(atob(inner), one => one.charCodeAt(0));
      key = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    } catch (error) {
      throw new Error(error.name === "NotSupportedError" ? "unable" : "badKey");
    }
    const jwk = await crypto.subtle.exportKey("jwk", key);
    const raw = atob(jwk.x.replace(/-/g, "+").replace(/_/g, "/"));
    return { key, public: hex(Uint8Array.from(raw, one => one.charCodeAt(0))) };
  }

  async function sign(pair, payload) {
    return hex(await crypto.subtle.sign("Ed25519", pair.key, utf8(DOMAIN + payload)));
  }

  async function post(path, value) {
    const sent = await fetch(root + path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value),
    });
    const told = await sent.json().catch(() => ({}));
    if (!sent.ok) throw Object.assign(new Error("refused"), { code: told.code || told.what || "" });
    return told;
  }

  function save(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function explain(error) {
    const words = byId("message").dataset;
    const codes = byId("codes") ? JSON.parse(byId("codes").textContent) : {};
    if (error.message === "refused") {
      const why = codes[error.code] || error.code;
      say(words.refused + (why ? ` (${why})` : ""));
    } else say(words[error.message] || words.refused);
  }

  const attempt = action => async event => {
    if (event) event.preventDefault();
    say("");
    try { await action(); } catch (error) { explain(error); }
  };

  function signInPage() {
    let text = null;
    const challenge = async () => {
      const told = await (await fetch(root + "sign-in/challenge")).json();
      if (!told.challenge.startsWith('{"act":"entrepot/federation/sign-in",')) throw new Error("refused");
      return told.challenge;
    };
    byId("enter").addEventListener("click", attempt(async () => {
      const pair = await readKey(byId("key"));
      const asked = await challenge();
      await post("sign-in", { challenge: asked, key: pair.public, signature: await sign(pair, asked) });
      location.assign(root);
    }));
    byId("download").addEventListener("click", attempt(async () => {
      text = await challenge();
      save("challenge.json", text);
    }));
    byId("send").addEventListener("click", attempt(async () => {
      await post("sign-in", JSON.parse(await byId("signed").files[0].text()));
      location.assign(root);
    }));
  }

  function askPage() {
    const form = byId("ask"), cohorts = {};
    const examples = JSON.parse(byId("examples").textContent);
    let body = "", digest = "";
    const fill = () => {
      const names = Object.keys(cohorts);
      const text = JSON.stringify(examples[byId("kind").value], null, 1);
      byId("parameters").value = text.replace(/"@(\d)"/g, (_, n) => JSON.stringify(names[n] || `cohort_${+n + 1}`));
    };
    byId("kind").addEventListener("change", fill);
    const readDefinitions = attempt(async () => {
      for (const name of Object.keys(cohorts)) delete cohorts[name];
      for (const file of byId("definitions").files) {
        const name = file.name.replace(/\.json$/i, "").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+/, "c_").slice(0, 40);
        cohorts[name] = JSON.parse(await file.text());
      }
      const items = Object.keys(cohorts).map(name => Object.assign(document.createElement("li"), { textContent: name }));
      byId("cohorts").replaceChildren(...items);
      fill();
    });
    byId("definitions").addEventListener("change", readDefinitions);
    byId("new_key").addEventListener("click", attempt(async () => {
      let pair;
      try { pair = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]); } catch { throw new Error("unable"); }
      const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
      const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g).join("\n");
      save("answers_key.pem", `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`);
      byId("answers_to").value = hex(await crypto.subtle.exportKey("raw", pair.publicKey));
    }));
    form.addEventListener("submit", attempt(async () => {
      const checked = name => Array.from(form.querySelectorAll(`input[name=${name}]:checked`), one => one.value);
      let analysis;
      try { analysis = { ...JSON.parse(byId("parameters").value), kind: byId("kind").value }; } catch { throw Object.assign(new Error("refused"), { code: "analysis_refused" }); }
      const told = await post(`studies/${form.dataset.study}/draft`, {
        cohorts, analysis, audience: checked("site"), days: +byId("days").value,
        minimum_cell: +byId("minimum").value || 0, delivery: checked("delivery")[0], answers_to: byId("answers_to").value,
      });
      body = told.body;
      digest = await sha256(body);
      byId("body").textContent = JSON.stringify(JSON.parse(body), null, 1);
      byId("sha").textContent = digest;
      byId("review").hidden = false;
      byId("review").scrollIntoView();
    }));
    const submit = async envelope => {
      const told = await post("queries", { envelope });
      location.assign(`${root}queries/${told.query}`);
    };
    byId("sign").addEventListener("click", attempt(async () => {
      const pair = await readKey(byId("key"));
      const act = JSON.parse(body).act;
      const signature = await sign(pair, JSON.stringify({ act, role: "researcher", sha256: digest }));
      const first = JSON.stringify({ key: pair.public, role: "researcher", signature });
      await submit(`{"body":${body},"signatures":[${first}]}`);
    }));
    byId("download").addEventListener("click", () => save("query.json", body));
    byId("send").addEventListener("click", attempt(async () => submit((await byId("signed").files[0].text()).trim())));
    fill();
    if (byId("definitions").files.length) readDefinitions();  // chosen before this script had come
  }

  function questionPage() {
    const shown = () => Array.from(document.querySelectorAll("#states tr[data-node]"), row => row.dataset.state).join();
    const look = async () => {
      const sent = await fetch(location.pathname + "/states");
      if (sent.ok && (await sent.json()).states.map(one => one.state).join() !== shown()) location.reload();
      else setTimeout(look, 3000);
    };
    setTimeout(look, 2000);
  }

  function stewardPage() {
    for (const form of document.querySelectorAll("form.decide")) {
      for (const button of form.querySelectorAll("button")) {
        button.addEventListener("click", attempt(async () => {
          const approve = button.value === "approve";
          const pair = await readKey(form.querySelector("input[type=file]"));
          const code = approve ? "" : form.querySelector("select").value;
          const payload = form.dataset[approve ? "approve" : "refuse"].replace("@code", code);
          const signature = await sign(pair, payload);
          const by = form.querySelector("input[name=by]").value;
          await post("decisions", { query: form.dataset.query, by, approved: approve, code, signature });
          location.reload();
        }));
      }
    }
  }

  const out = byId("out");
  if (out) out.addEventListener("click", async () => { await post("sign-out", {}); location.assign(root); });
  const page = document.currentScript.dataset.page;
  if (page === "sign_in") signInPage();
  if (page === "ask") askPage();
  if (page === "question") questionPage();
  if (page === "steward") stewardPage();
})();
