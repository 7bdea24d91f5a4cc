//! The model file, little-endian:
//!
//! ```text
//! "EVENKEEL"  u32 features version
//! u32 1 when a mail has exactly one label, else 0
//! labels, lexicon (TOML), words      each text: u32 length, UTF-8; lists: u32 count first
//! unknown, smoothing                 7 × f32 each
//! bias, second stage, its bias, thresholds   u32 count, f32 each
//! 7 blocks                           u32 count, keys u64, scales f32, squared idf f32, weights i8
//! SHA-256 of all of the above        32 bytes
//! ```

use sha2::{Digest, Sha256};

use super::super::features;
use super::super::lexicon::Lexicon;
use super::{Model, ModelError, Rows, Stack, hexadecimal};

const MAGIC: &[u8; 8] = b"EVENKEEL";
const TRAILER: usize = 32;

pub(super) fn write(model: &Model) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    number(&mut out, features::VERSION as usize);
    number(&mut out, usize::from(model.exclusive));
    texts(&mut out, &model.labels);
    text(&mut out, model.lexicon.source());
    texts(&mut out, &model.words);
    for value in model.unknown.iter().chain(&model.smoothing) {
        out.extend(value.to_le_bytes());
    }
    for list in [&model.bias, &model.stack.weights, &model.stack.bias, &model.thresholds] {
        number(&mut out, list.len());
        out.extend(list.iter().flat_map(|value| value.to_le_bytes()));
    }
    for rows in &model.blocks {
        number(&mut out, rows.len());
        out.extend(rows.keys().iter().flat_map(|key| key.to_le_bytes()));
        for (_, scale, _) in rows.parts() {
            out.extend(scale.to_le_bytes());
        }
        for (_, _, norm) in rows.parts() {
            out.extend(norm.to_le_bytes());
        }
        for (weights, ..) in rows.parts() {
            out.extend(weights.flat_map(i8::to_le_bytes));
        }
    }
    let trailer = Sha256::digest(&out);
    out.extend(trailer);
    out
}

fn number(out: &mut Vec<u8>, n: usize) {
    out.extend(u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len());
    out.extend(text.as_bytes());
}

fn texts(out: &mut Vec<u8>, list: &[String]) {
    number(out, list.len());
    for item in list {
        text(out, item);
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Model, ModelError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(ModelError::Magic)?;
    let body = bytes.len().checked_sub(TRAILER).and_then(|at| bytes.split_at_checked(at));
    let (content, trailer) = body.ok_or(ModelError::Damaged)?;
    let mut sha256 = Sha256::new_with_prefix(content);
    if sha256.clone().finalize().as_slice() != trailer {
        return Err(ModelError::Damaged);
    }
    sha256.update(trailer);
    let mut input = Input { rest: rest.get(..rest.len().saturating_sub(TRAILER)).unwrap_or_default() };
    let found = input.u32("version")?;
    if found != features::VERSION {
        return Err(ModelError::Version { found, expected: features::VERSION });
    }
    let exclusive = input.u32("labels")? == 1;
    let labels = input.texts("labels")?;
    let lexicon = input.text("lexicon")?;
    let mut model = Model {
        exclusive,
        lexicon: Lexicon::parse(&lexicon).map_err(|_| ModelError::Inconsistent("lexicon"))?,
        words: input.texts("words")?,
        sha256: hexadecimal(&sha256.finalize()),
        ..Model::default()
    };
    for value in model.unknown.iter_mut().chain(&mut model.smoothing) {
        *value = input.f32("norms")?;
    }
    model.bias = input.list("bias")?;
    model.stack = Stack { weights: input.list("second stage")?, bias: input.list("second stage")? };
    model.thresholds = input.list("thresholds")?;
    for rows in &mut model.blocks {
        *rows = input.rows(labels.len())?;
    }
    model.labels = labels;
    if input.rest.is_empty() { Ok(model) } else { Err(ModelError::Inconsistent("end")) }
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], ModelError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(ModelError::Inconsistent(what))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ModelError> {
        self.take(N, what)?.try_into().map_err(|_| ModelError::Inconsistent(what))
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, ModelError> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn f32(&mut self, what: &'static str) -> Result<f32, ModelError> {
        self.array(what).map(f32::from_le_bytes)
    }

    /// A count of things of `size` bytes, no more than are left.
    fn count(&mut self, size: usize, what: &'static str) -> Result<usize, ModelError> {
        let count = self.u32(what)? as usize;
        let fits = count.checked_mul(size).is_some_and(|bytes| bytes <= self.rest.len());
        if fits { Ok(count) } else { Err(ModelError::Inconsistent(what)) }
    }

    fn text(&mut self, what: &'static str) -> Result<String, ModelError> {
        let length = self.count(1, what)?;
        String::from_utf8(self.take(length, what)?.to_vec()).map_err(|_| ModelError::Inconsistent(what))
    }

    fn texts(&mut self, what: &'static str) -> Result<Vec<String>, ModelError> {
        (0..self.count(4, what)?).map(|_| self.text(what)).collect()
    }

    fn floats(&mut self, count: usize, what: &'static str) -> Result<Vec<f32>, ModelError> {
        let (bytes, _) = self.take(count.saturating_mul(4), what)?.as_chunks();
        Ok(bytes.iter().copied().map(f32::from_le_bytes).collect())
    }

    fn list(&mut self, what: &'static str) -> Result<Vec<f32>, ModelError> {
        let count = self.count(4, what)?;
        self.floats(count, what)
    }

    fn rows(&mut self, labels: usize) -> Result<Rows, ModelError> {
        let count = self.count(labels.saturating_add(16), "rows")?;
        let (keys, _) = self.take(count.saturating_mul(8), "rows")?.as_chunks();
        let keys = keys.iter().copied().map(u64::from_le_bytes).collect();
        let scales = self.floats(count, "rows")?;
        let norms = self.floats(count, "rows")?;
        let weights: Vec<i8> =
            self.take(count * labels, "rows")?.iter().map(|byte| byte.cast_signed()).collect();
        Ok(Rows::from_parts(labels, keys, &weights, &scales, &norms))
    }
}
