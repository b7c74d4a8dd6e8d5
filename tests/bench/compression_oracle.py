"""Wanda, SparseGPT, GPTQ and AWQ in plain torch, written from the papers for transformers' Llama: what
compression_peers.py holds the program and the published packages against. Clear before fast.

One pass over the blocks: a block's linears are compressed by what they read from the blocks before it, which
are compressed already; then the samples pass through the result.
"""

import torch

DAMPING = 0.01   # of the mean of the Hessian's diagonal (GPTQ, section 3.3)
BLOCK = 128      # columns among which SparseGPT chooses
GROUP = 64       # columns that share a scale
AWQ_GRID = 20    # candidates of AWQ's exponent
AWQ_TOKENS = 2048  # of the samples, evenly taken, on which AWQ compares its candidates


class Inputs:
    """What one linear read: its Hessian, sums of squares and magnitudes, and some of the rows themselves."""

    def __init__(self, cols, stride):
        self.hessian = torch.zeros(cols, cols, dtype=torch.float64)
        self.magnitudes = torch.zeros(cols, dtype=torch.float64)
        self.tokens, self.stride, self.rows = 0, stride, []

    def add(self, x):
        x = x.reshape(-1, x.shape[-1]).float()
        self.hessian += (x.T @ x).double()
        self.magnitudes += x.abs().sum(0).double()
        self.tokens += len(x)
        self.rows.append(x[::self.stride].clone())

    def mean_hessian(self):
        return self.hessian / self.tokens


def factor(hessian, weight):
    """U with H⁻¹ = UᵀU of the damped Hessian. Inputs that were always zero lose their weights."""
    h = hessian.clone()
    dead = h.diagonal() == 0
    weight[:, dead] = 0
    h.diagonal()[dead] = 1
    h.diagonal().add_(DAMPING * h.diagonal().mean())
    return torch.linalg.cholesky(torch.linalg.inv(h), upper=True)


class Grid:
    """An asymmetric grid of `bits` bits, one scale and zero a row, from the values' minimum and maximum."""

    def __init__(self, values, bits):
        low, high = values.amin(1, keepdim=True).clamp(max=0), values.amax(1, keepdim=True).clamp(min=0)
        self.steps = 2 ** bits - 1
        self.scale = ((high - low) / self.steps).where(high > low, torch.ones_like(high))
        self.zero = torch.round(-low / self.scale)

    def round(self, values):
        codes = torch.clamp(torch.round(values / self.scale) + self.zero, 0, self.steps)
        return self.scale * (codes - self.zero)


def round_to_nearest(weight, bits):
    return torch.cat([Grid(part, bits).round(part) for part in weight.split(GROUP, dim=1)], dim=1)


def rtn(weight, inputs, bits):
    return round_to_nearest(weight, bits)


def magnitude(weight, inputs, bits):
    """The smaller half of the whole matrix."""
    fallen = weight.abs().flatten().argsort()[:weight.numel() // 2]
    out = weight.clone()
    out.view(-1)[fallen] = 0
    return out


def sweep(weight, inputs, width, begin_block, set_column):
    """The loop of both papers (algorithm 1): columns are set one after the other, `width` at a time, and what
    each loses goes into those behind it. begin_block(columns, their part of U's diagonal) gives what
    set_column(that, column, number) needs."""
    w = weight.double()
    u = factor(inputs.mean_hessian(), w)
    for begin in range(0, w.shape[1], width):
        end = min(begin + width, w.shape[1])
        found = begin_block(w[:, begin:end], u.diagonal()[begin:end])
        errors = torch.zeros(len(w), end - begin, dtype=torch.float64)
        for j in range(begin, end):
            column = w[:, j].clone()
            w[:, j] = set_column(found, column, j - begin)
            errors[:, j - begin] = (column - w[:, j]) / u[j, j]
            w[:, j + 1:end] -= errors[:, j - begin, None] * u[j, j + 1:end]
        w[:, end:] -= errors @ u[begin:end, end:]
    return w.float()


def gptq(weight, inputs, bits):
    """Frantar et al. 2022. A group's grid is found from its columns as they are when it is reached."""
    return sweep(weight, inputs, GROUP, lambda columns, _: Grid(columns, bits),
                 lambda grid, column, _: grid.round(column[:, None])[:, 0])


def sparsegpt(weight, inputs, two_of_four):
    """Frantar & Alistarh 2023: of a block's columns (of a row's four) half falls, by w² / [H⁻¹]_jj."""
    def choose(columns, diagonal):
        scores = columns ** 2 / diagonal ** 2
        rows = scores if two_of_four else scores.reshape(1, -1)
        fallen = rows.argsort(1)[:, :rows.shape[1] // 2]
        return torch.zeros_like(rows, dtype=torch.bool).scatter_(1, fallen, True).view(scores.shape)

    return sweep(weight, inputs, 4 if two_of_four else BLOCK, choose,
                 lambda falls, column, number: column.masked_fill(falls[:, number], 0))


def wanda(weight, inputs, two_of_four):
    """Sun et al. 2023: |w|·‖x‖, compared within a row (or four inputs of it)."""
    scores = weight.abs().double() * inputs.hessian.diagonal().sqrt()
    width = 4 if two_of_four else weight.shape[1]
    order = scores.view(len(weight), -1, width).argsort(2)[:, :, :width // 2]
    falls = torch.zeros(order.shape[0], order.shape[1], width, dtype=torch.bool).scatter_(2, order, True)
    return weight.masked_fill(falls.view(weight.shape), 0)


def awq_scales(weights, inputs, bits):
    """Section 3.2 of Lin et al. 2023: of s = (mean |x|)^ratio the one whose rounded linears err least."""
    rows = torch.cat(inputs.rows)[:AWQ_TOKENS]
    means = (inputs.magnitudes / inputs.tokens).float().clamp(min=1e-4)
    wanted = [rows @ weight.T for weight in weights]
    best = None
    for step in range(AWQ_GRID):
        scales = means ** (step / AWQ_GRID)
        scales /= (scales.max() * scales.min()).sqrt()
        scaled = rows / scales
        error = sum(float((scaled @ round_to_nearest(weight * scales, bits).T - want).pow(2).sum())
                    for weight, want in zip(weights, wanted))
        if best is None or error < best[0]:
            best = (error, scales)
    return best[1]


def awq_clip(weight, rows, bits):
    """The authors' search: each group's range times 1, 0.95 … 0.55, whichever errs least on rows."""
    out = weight.clone()
    for begin in range(0, weight.shape[1], GROUP):
        part, x = weight[:, begin:begin + GROUP], rows[:, begin:begin + GROUP]
        largest = part.abs().amax(1, keepdim=True)
        gram = x.T @ x
        least = torch.full((len(weight), 1), float("inf"))
        for step in range(10):
            limit = largest * (1 - step / 20)
            clipped = part.clamp(-limit, limit)
            error = Grid(clipped, bits).round(clipped) - part
            loss = ((error @ gram) * error).sum(1, keepdim=True)
            better = loss < least
            least = least.where(~better, loss)
            out[:, begin:begin + GROUP] = out[:, begin:begin + GROUP].where(~better, clipped)
    return out


def awq_block(linears, inputs, bits):
    """Scales the linears that share an input together, clips (not query and key), rounds. The scales are kept
    within the weights: Q(W·s)/s is what the folded model computes."""
    shared = [["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], ["self_attn.o_proj"],
              ["mlp.gate_proj", "mlp.up_proj"], ["mlp.down_proj"]]
    for names in shared:
        weights = [linears[name].weight.data for name in names]
        seen = inputs[names[0]]
        foldable = names[0] != "self_attn.o_proj" or \
            linears["self_attn.v_proj"].weight.shape[0] == weights[0].shape[1]
        scales = awq_scales(weights, seen, bits) if foldable else torch.ones(weights[0].shape[1])
        rows = torch.cat(seen.rows)[:AWQ_TOKENS] / scales
        for name, weight in zip(names, weights):
            scaled = weight * scales
            if "q_proj" not in name and "k_proj" not in name:
                scaled = awq_clip(scaled, rows, bits)
            weight.copy_(round_to_nearest(scaled, bits) / scales)


METHODS = {
    "rtn": rtn,
    "magnitude": magnitude,
    "gptq": gptq,
    "sparsegpt": lambda weight, inputs, bits: sparsegpt(weight, inputs, False),
    "sparsegpt-2:4": lambda weight, inputs, bits: sparsegpt(weight, inputs, True),
    "wanda": lambda weight, inputs, bits: wanda(weight, inputs, False),
    "wanda-2:4": lambda weight, inputs, bits: wanda(weight, inputs, True),
    "awq": None,  # looks at the linears of a block together
}


class Blocks:
    """The samples' hidden states on their way through the blocks."""

    def __init__(self, model, samples):
        self.model = model.model
        self.states = [self.model.embed_tokens(torch.tensor([ids])) for ids in samples]

    def advance(self, block, keep=True):
        for number, state in enumerate(self.states):
            places = torch.arange(state.shape[1])[None]
            out = block(state, position_embeddings=self.model.rotary_emb(state, places))
            if keep:
                self.states[number] = out[0] if isinstance(out, tuple) else out


def watch(linears, stride):
    """Collects what each linear reads; answers the collections and the hooks to remove."""
    inputs = {name: Inputs(linear.in_features, stride) for name, linear in linears.items()}
    hooks = [linear.register_forward_pre_hook(lambda _, x, seen=inputs[name]: seen.add(x[0]))
             for name, linear in linears.items()]
    return inputs, hooks


@torch.inference_mode()
def compress(model, method, samples, bits):
    blocks = Blocks(model, samples)
    stride = max(1, sum(len(ids) for ids in samples) // AWQ_TOKENS)
    for block in model.model.layers:
        linears = {name: part for name, part in block.named_modules() if isinstance(part, torch.nn.Linear)}
        inputs, hooks = watch(linears, stride)
        blocks.advance(block, keep=False)
        for hook in hooks:
            hook.remove()
        if method == "awq":
            awq_block(linears, inputs, bits)
        else:
            for name, linear in linears.items():
                linear.weight.data.copy_(METHODS[method](linear.weight.data.clone(), inputs[name], bits))
        blocks.advance(block)
    return model
