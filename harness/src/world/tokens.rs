//! Tokens that a case signs itself: an [`Issuer`] with a key of its own, [`Claims`], and the [`Token`] they become.
//!
//! Keys live as long as the case and are never written anywhere; a token shows nothing of itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Map, Value, json};
use waymark_manifests::{JwtRule, jwt_rule};

use super::Ctx;
use crate::case::Broken;

/// How long a token is good, in seconds: longer than any case takes.
const GOOD_FOR: i64 = 3600;

/// Somebody who signs tokens (ES256), with a key made for this case.
pub struct Issuer {
    name: String,
    key: EcdsaKeyPair,
    random: SystemRandom,
}

/// What a token will say.
#[must_use = "claims become a token by `sign`"]
pub struct Claims<'i> {
    issuer: &'i Issuer,
    body: Map<String, Value>,
}

/// A signed token. It has no text but the one that a request carries.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Ctx {
    /// An issuer of tokens under this name, with a new key.
    ///
    /// # Errors
    /// A machine that cannot make keys.
    pub fn issuer(&self, name: &str) -> Result<Issuer, Broken> {
        Issuer::new(name)
    }
}

impl Issuer {
    fn new(name: &str) -> Result<Self, Broken> {
        let random = SystemRandom::new();
        let failed = |why: &dyn fmt::Display| Broken::new(format!("make a key to sign tokens: {why}"));
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|why| failed(&why))?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random)
            .map_err(|why| failed(&why))?;
        Ok(Self { name: name.to_owned(), key, random })
    }

    /// The rule that believes this issuer, with its public key.
    #[must_use]
    pub fn rule(&self) -> JwtRule {
        // An uncompressed point: a mark, then both coordinates.
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at((point.len() - 1) / 2);
        let key = json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.key_id(), "x": encode(x), "y": encode(y),
        });
        jwt_rule(&self.name, json!({"keys": [key]}).to_string())
    }

    /// A good token for a subject, to be changed.
    pub fn token(&self, subject: &str) -> Claims<'_> {
        let now = Timestamp::now().as_second();
        let body = [
            ("iss", self.name.clone().into()),
            ("sub", subject.into()),
            ("iat", now.into()),
            ("exp", (now + GOOD_FOR).into()),
        ];
        Claims {
            issuer: self,
            body: body.into_iter().map(|(claim, value): (_, Value)| (claim.to_owned(), value)).collect(),
        }
    }

    /// Its principal for a subject, as policies write it.
    #[must_use]
    pub fn principal(&self, subject: &str) -> String {
        format!("{}/{subject}", self.name)
    }

    /// Keys of all issuers have one id, so that a key is found by its issuer alone.
    fn key_id(&self) -> &'static str {
        "waymark"
    }

    fn sign(&self, body: &Map<String, Value>) -> Result<Token, Broken> {
        let head = json!({"alg": "ES256", "typ": "JWT", "kid": self.key_id()}).to_string();
        let signed = format!("{}.{}", encode(head), encode(Value::from(body.clone()).to_string()));
        let signature = self.key.sign(&self.random, signed.as_bytes());
        let signature = signature.map_err(|why| Broken::new(format!("sign a token: {why}")))?;
        Ok(Token(format!("{signed}.{}", encode(signature))))
    }
}

impl Claims<'_> {
    /// Sets a claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body.insert(name.to_owned(), value.into());
        self
    }

    /// Says whom it is for.
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// Makes it end an hour ago.
    pub fn expired(self) -> Self {
        self.claim("exp", Timestamp::now().as_second() - GOOD_FOR)
    }

    /// Makes it begin in an hour.
    pub fn not_yet_good(self) -> Self {
        self.claim("nbf", Timestamp::now().as_second() + GOOD_FOR)
    }

    /// The token, signed.
    ///
    /// # Errors
    /// A machine that cannot sign.
    pub fn sign(self) -> Result<Token, Broken> {
        self.issuer.sign(&self.body)
    }
}

impl Token {
    /// The token as a request carries it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token")
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn parts(token: &Token) -> Vec<Vec<u8>> {
        token.text().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect()
    }

    #[test]
    fn a_token_is_signed_by_the_key_that_its_rule_names() {
        let issuer = Issuer::new("https://issuer.example").unwrap();
        let token = issuer.token("alice").claim("group", ["a", "b"]).sign().unwrap();
        let (signed, _) = token.text().rsplit_once('.').unwrap();
        let rule = serde_json::to_value(issuer.rule()).unwrap();
        let keys: Value = serde_json::from_str(rule["jwks"].as_str().unwrap()).unwrap();
        let coordinate =
            |name: &str| URL_SAFE_NO_PAD.decode(keys["keys"][0][name].as_str().unwrap()).unwrap();
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.verify(signed.as_bytes(), &parts(&token)[2]).unwrap();
        let body: Value = serde_json::from_slice(&parts(&token)[1]).unwrap();
        assert_eq!((&body["iss"], &body["group"][1]), (&"https://issuer.example".into(), &"b".into()));
        assert!(body["exp"].as_i64() > body["iat"].as_i64());
    }

    #[test]
    fn a_token_can_be_over_or_not_begun() {
        let issuer = Issuer::new("a").unwrap();
        let now = Timestamp::now().as_second();
        let body = |claims: Claims<'_>| claims.body;
        assert!(body(issuer.token("b").expired())["exp"].as_i64() < Some(now));
        assert!(body(issuer.token("b").not_yet_good())["nbf"].as_i64() > Some(now));
        assert_eq!(issuer.principal("b"), "a/b");
    }

    #[test]
    fn a_token_shows_nothing_of_itself() {
        let token = Issuer::new("a").unwrap().token("b").sign().unwrap();
        assert_eq!(format!("{token:?}"), "a token");
        let masked = crate::evidence::redact::text(token.text()).into_owned();
        assert!(masked.ends_with(".[redacted]") && !masked.contains(token.text()), "{masked}");
    }
}
