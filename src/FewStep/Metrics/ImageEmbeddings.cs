using FewStep.Networks;
using FewStep.Sampling;

namespace FewStep.Metrics;

/// <summary>Distances of images by name.</summary>
internal static class ImageEmbeddings
{
    private const double UsualSigma = 0.3;
    private const string Encoder = "encoder", Classifier = "classifier";

    /// <summary>What can be named.</summary>
    public static string Known => $"pixels, {Encoder} (the model's own activations; {Encoder}:0.3 tells it that noise level), "
        + $"{Classifier}:FOLDER (activations of a classifier)";

    /// <param name="name"><c>pixels</c>, <c>encoder</c> with an optional noise level, or <c>classifier</c> with a folder.</param>
    /// <param name="network">The model's network, which an encoder is part of; null where it has none. Not disposed.</param>
    /// <returns>The embedding; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The name is unknown, or it does not suit the model.</exception>
    public static IImageEmbedding Open(string name, NetworkDenoiser? network, ImageShape shape, Device? device = null)
    {
        string[] parts = name.Split(':', 2);
        switch (parts)
        {
            case ["pixels"]:
                return new PixelEmbedding();
            case [Encoder, ..] when network is null:
                throw new InvalidInputException($"The distance {Encoder} needs a model whose network can be looked into; choose pixels.");
            case [Encoder]:
                return new EncoderEmbedding(network, Math.Clamp(UsualSigma, network.SigmaMin, network.SigmaMax));
            case [Encoder, var level] when double.TryParse(level, NumberStyles.Float, CultureInfo.InvariantCulture, out double sigma)
                && sigma >= network!.SigmaMin && sigma <= network.SigmaMax:
                return new EncoderEmbedding(network, sigma);
            case [Classifier, { Length: > 0 } folder]:
                return new ClassifierEmbedding(FeatureClassifierFolder.LoadFor(folder, shape, device));
            default:
                throw new InvalidInputException($"There is no distance '{name}'; choose {Known}.");
        }
    }
}
