using FewStep.Denoising;

namespace FewStep.Tests;

/// <summary>Gaussian data, and what tests do with mixtures beside denoising.</summary>
internal static class TestMixtures
{
    extension(GaussianMixtureDenoiser)
    {
        /// <summary>The denoiser of Gaussian data N(m, c^2 I).</summary>
        public static GaussianMixtureDenoiser Gaussian(ImageShape shape, double mean, double std)
            => new(OneComponent(shape, mean, std));
    }

    public static GaussianMixture OneComponent(ImageShape shape, double mean, double std)
        => new(shape, [1.0], [[.. Enumerable.Repeat(mean, (int)shape.Dimension)]], [std]);

    /// <summary>Writes the file of a mixture.</summary>
    public static void Write(string path, GaussianMixture mixture) => JsonFile.Write(path, new
    {
        MixtureFile.Kind,
        Shape = mixture.Shape.Batch(1)[1..],
        mixture.Weights,
        mixture.Means,
        mixture.Stds,
        Classes = mixture.Classes == 0 ? null : mixture.ComponentClasses.ToArray(),
    });
}
