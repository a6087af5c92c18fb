namespace FewStep.Metrics;

/// <summary>A network that turns images into the feature vectors whose statistics a Fréchet distance compares.</summary>
public interface IFeatureExtractor
{
    /// <summary>Display name of the Fréchet distance on these features, e.g. <c>FD (fashion features)</c>.</summary>
    string Name { get; }

    /// <summary>Length d of a feature vector.</summary>
    int Dimension { get; }

    /// <summary>Shape of the images it takes.</summary>
    ImageShape Shape { get; }

    /// <summary>SHA-256 of the weights, lower-case hexadecimal; distances of different extractors are never comparable.</summary>
    string Hash { get; }

    /// <summary>Computes features, without gradients.</summary>
    /// <param name="images">Images [B,C,H,W], float32 in [-1,1], on any device; not changed and not disposed.</param>
    /// <returns>Features [B,d], float32, where the network computes; the caller owns them.</returns>
    Tensor Extract(Tensor images);
}
