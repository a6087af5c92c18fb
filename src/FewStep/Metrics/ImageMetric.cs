namespace FewStep.Metrics;

/// <summary>A way to compare images with reference images, or to judge them alone, through a feature network.</summary>
public enum ImageMetric
{
    /// <summary>Fréchet distance of Gaussians fitted to the features: FID on Inception-v3 (Heusel et al. 2017). Lower is better.</summary>
    Frechet,

    /// <summary>Kernel distance with the cubic polynomial kernel: KID on Inception-v3 (Binkowski et al. 2018). Lower is better.</summary>
    Kernel,

    /// <summary>Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020). Higher is better.</summary>
    Neighbours,

    /// <summary>The Inception score on Inception-v3's classes (Salimans et al. 2016); needs no reference. Higher is better.</summary>
    ClassScore,
}
