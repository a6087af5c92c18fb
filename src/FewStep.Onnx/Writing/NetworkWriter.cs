using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>Writes a denoiser's network, of images and classes, as nodes of ONNX.</summary>
/// <param name="prefix">Put before the names of the weights.</param>
internal sealed class NetworkWriter(OnnxNodes nodes, NetworkDenoiser denoiser, string prefix)
{
    /// <summary>What the raw network makes of scaled images.</summary>
    /// <param name="x">Name of the value [B,C,H,W].</param>
    /// <param name="noise">Noise labels, [B] or [1].</param>
    /// <param name="labels">int64 [B], where the number of classes and -1 stand for "no class"; null without classes.</param>
    /// <returns>Name of the value [B,C,H,W], without a learnt variance.</returns>
    public string Write(string x, string noise, string? labels)
    {
        var folded = Folded(x);
        var raw = denoiser.Network switch
        {
            UNet network => new UNetWriter(nodes, denoiser, prefix).Write(network, folded, noise, labels),
            Edm2UNet network => new Edm2Writer(nodes, denoiser, prefix).Write(network, folded, noise, labels),
            DiT network => new DiTWriter(nodes, network, denoiser.Weights, prefix).Write(folded, noise, labels),
            var other => throw new InvalidInputException(
                $"Networks of the kind {other.GetType().Name} cannot be written as one file of ONNX; U-Nets of images and DiT can."),
        };
        string images = Unfolded(raw);
        return raw.Channels == denoiser.Shape.Channels * denoiser.PatchSize * denoiser.PatchSize ? images
            : nodes.Op("Slice", [images, nodes.Integers(0), nodes.Integers(denoiser.Shape.Channels), nodes.Integers(1)]);
    }

    // Patches become channels as in pixel_unshuffle, whose order SpaceToDepth has not.
    private Features Folded(string x)
    {
        int p = denoiser.PatchSize;
        long c = denoiser.Shape.Channels, h = denoiser.Shape.Height / p, w = denoiser.Shape.Width / p;
        if (p == 1)
            return new(x, c, h, w);
        string parts = nodes.Transpose(nodes.Reshape(x, 0, c, h, p, w, p), 0, 1, 3, 5, 2, 4);
        return new(nodes.Reshape(parts, 0, c * p * p, h, w), c * p * p, h, w);
    }

    private string Unfolded(Features raw) => denoiser.PatchSize == 1 ? raw.Name
        : nodes.Op("DepthToSpace", [raw.Name], OnnxNodes.Of("blocksize", denoiser.PatchSize), OnnxNodes.Of("mode", "CRD"));
}
