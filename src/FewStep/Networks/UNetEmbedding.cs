namespace FewStep.Networks;

/// <summary>Embeds noise label and class for all blocks of a U-Net: two linear layers over the noise's sines and cosines, with the class
/// added before or after them.</summary>
internal sealed record UNetEmbedding(NoiseEmbedding Noise, Linear Layer0, Linear Layer1)
{
    /// <summary>Whether the sines come before the cosines.</summary>
    public bool SinesFirst { get; init; }

    /// <summary>The layer of one-hot class labels; null without classes.</summary>
    public Linear? Label { get; init; }

    /// <summary>The one of a one-hot label.</summary>
    public double LabelScale { get; init; } = 1;

    /// <summary>Whether the class joins the noise before the linear layers, instead of after them.</summary>
    public bool LabelComesFirst { get; init; }

    /// <param name="noiseLabels">Noise labels [B], float32.</param>
    /// <param name="classes">Class indices int64 [B], -1 for none; null for none at all.</param>
    /// <returns>[B,E], float32; belongs to the current dispose scope.</returns>
    public Tensor Forward(ForwardPass pass, Tensor noiseLabels, Tensor? classes)
    {
        var embedded = Noise.Forward(noiseLabels, SinesFirst);
        if (LabelComesFirst)
            embedded = WithClass(pass, embedded, classes);
        embedded = Layer1.Forward(pass, nn.functional.silu(Layer0.Forward(pass, embedded)));
        if (!LabelComesFirst)
            embedded = WithClass(pass, embedded, classes);
        return nn.functional.silu(embedded);
    }

    private Tensor WithClass(ForwardPass pass, Tensor embedding, Tensor? classes)
    {
        if (Label is null)
            return embedding;
        var oneHot = Network.OneHot(classes, embedding.shape[0], Label.InFeatures, embedding.device);
        return embedding.Plus(Label.Forward(pass, LabelScale == 1 ? oneHot : oneHot.Times(LabelScale)));
    }
}
