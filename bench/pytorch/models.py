"""The compared models, as defined in src/presets.ts, using only torch.

Padding is TensorFlow's "same", which puts an odd pixel at the end. PyTorch's own padding is symmetric, so a convolution
pads its input explicitly, and a transposed one is computed in full and cropped. Images are NCHW, PyTorch's layout: the
models have the same sizes and arithmetic, but not the same order of weights.
"""

RELU = "relu"


def dense(units, activation=None):
    return {"type": "dense", "units": units, "activation": activation}


def conv2d(filters, kernel, stride=1, activation=None):
    return {"type": "conv2d", "filters": filters, "kernel": kernel, "stride": stride, "activation": activation}


def conv_transpose2d(filters, kernel, stride=1, activation=None):
    return {**conv2d(filters, kernel, stride, activation), "type": "conv_transpose2d"}


def reshape(*shape):
    """To [height, width, channels], like all shapes in a spec."""
    return {"type": "reshape", "shape": shape}


FLATTEN = {"type": "flatten"}

SPECS = {
    "mlp": {
        "input": (28, 28, 1),
        "encoder": [dense(400, RELU)],
        "latent": 20,
        "decoder": [dense(400, RELU), dense(784)],
    },
    "conv": {
        "input": (28, 28, 1),
        "encoder": [conv2d(32, 3, 2, RELU), conv2d(64, 3, 2, RELU), FLATTEN, dense(16, RELU)],
        "latent": 2,
        "decoder": [
            dense(7 * 7 * 64, RELU),
            reshape(7, 7, 64),
            conv_transpose2d(64, 3, 2, RELU),
            conv_transpose2d(32, 3, 2, RELU),
            conv_transpose2d(1, 3),
        ],
    },
    "conv64": {
        "input": (64, 64, 3),
        "encoder": [*[conv2d(filters, 4, 2, RELU) for filters in (32, 64, 128, 256)], FLATTEN],
        "latent": 128,
        "decoder": [
            dense(4 * 4 * 256, RELU),
            reshape(4, 4, 256),
            *[conv_transpose2d(filters, 4, 2, RELU) for filters in (128, 64, 32)],
            conv_transpose2d(3, 4, 2),
        ],
    },
}

# The default batch sizes.
BATCHES = {"mlp": (128,), "conv": (32, 128), "conv64": (16, 128)}


def same_padding(large, small, kernel, stride):
    """Padding before and after a side of `large` pixels from which a convolution makes `small`."""
    total = max((small - 1) * stride + kernel - large, 0)
    return total // 2, total - total // 2


def build(spec):
    """A torch.nn.Module whose forward(images, noise) is the negative ELBO, averaged over the batch."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Pad(nn.Module):
        def __init__(self, rows, columns):
            super().__init__()
            self.amounts = (*columns, *rows)  # F.pad names the innermost dimension first

        def forward(self, x):
            return F.pad(x, self.amounts)

    class Crop(nn.Module):
        """The `height` x `width` pixels from (top, left)."""

        def __init__(self, top, left, height, width):
            super().__init__()
            self.rows = slice(top, top + height)
            self.columns = slice(left, left + width)

        def forward(self, x):
            return x[:, :, self.rows, self.columns]

    def chain(layers, shape):
        """The layers as one module, and its output shape, [height, width, channels] or [units]."""
        modules = []
        for layer in layers:
            kind = layer["type"]
            if kind == "flatten":
                modules.append(nn.Flatten())
                shape = (product(shape),)
            elif kind == "reshape":
                height, width, channels = layer["shape"]
                modules.append(nn.Unflatten(1, (channels, height, width)))
                shape = layer["shape"]
            elif kind == "dense":
                if len(shape) == 3:
                    modules.append(nn.Flatten())
                modules.append(nn.Linear(product(shape), layer["units"]))
                shape = (layer["units"],)
            else:
                added, shape = convolution(layer, shape)
                modules.extend(added)
            if layer.get("activation") == RELU:
                modules.append(nn.ReLU())
        return nn.Sequential(*modules), shape

    def convolution(layer, shape):
        height, width, channels = shape
        filters, kernel, stride = layer["filters"], layer["kernel"], layer["stride"]
        if layer["type"] == "conv2d":
            to = (-(-height // stride), -(-width // stride), filters)
            rows = same_padding(height, to[0], kernel, stride)
            columns = same_padding(width, to[1], kernel, stride)
            if rows == columns and rows[0] == rows[1]:
                return [nn.Conv2d(channels, filters, kernel, stride, padding=rows[0])], to
            return [Pad(rows, columns), nn.Conv2d(channels, filters, kernel, stride)], to
        to = (height * stride, width * stride, filters)
        rows = same_padding(to[0], height, kernel, stride)
        columns = same_padding(to[1], width, kernel, stride)
        if rows == columns and rows[0] == rows[1]:
            return [nn.ConvTranspose2d(channels, filters, kernel, stride, padding=rows[0])], to
        # Without padding it produces (size - 1) stride + kernel pixels: those of "same" plus the padding around them.
        return [nn.ConvTranspose2d(channels, filters, kernel, stride), Crop(rows[0], columns[0], to[0], to[1])], to

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, features = chain(spec["encoder"], spec["input"])
            self.mean = nn.Linear(product(features), spec["latent"])
            self.log_variance = nn.Linear(product(features), spec["latent"])
            self.decoder, output = chain(spec["decoder"], (spec["latent"],))
            if product(output) != product(spec["input"]):
                raise ValueError(f"the decoder ends in {output}, the input is {spec['input']}")
            self.reset()

        def reset(self):
            """Glorot uniform weights and zero biases, the defaults of Keras and webvae."""
            for module in self.modules():
                if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                    nn.init.xavier_uniform_(module.weight)
                    nn.init.zeros_(module.bias)

        def forward(self, images, noise):
            features = self.encoder(images).flatten(1)
            mu, s = self.mean(features), self.log_variance(features)
            z = mu + torch.exp(0.5 * s) * noise
            logits = self.decoder(z).flatten(1)
            reconstruction = F.binary_cross_entropy_with_logits(logits, images.flatten(1), reduction="sum")
            kl = 0.5 * (mu.square() + s.exp() - s - 1).sum()
            return (reconstruction + kl) / images.shape[0]

    return Model()


def product(shape):
    total = 1
    for size in shape:
        total *= size
    return total
