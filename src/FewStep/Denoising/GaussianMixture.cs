using System.Collections.Immutable;

namespace FewStep.Denoising;

/// <summary>A distribution of images with a known denoiser: sum_k w_k N(m_k, c_k^2 I).</summary>
internal sealed record GaussianMixture
{
    // Keeps the stream of images apart from the stream of latents that the same seed starts.
    private const ulong ImageStream = 0x9E3779B97F4A7C15;

    /// <summary>Creates a mixture of K components over images of dimension d.</summary>
    public GaussianMixture(ImageShape shape, IReadOnlyList<double> weights, IReadOnlyList<IReadOnlyList<double>> means,
        IReadOnlyList<double> stds, IReadOnlyList<int>? classes = null)
    {
        int components = weights.Count;
        if (components == 0 || means.Count != components || stds.Count != components
            || (classes is not null && classes.Count != components))
        {
            throw new InvalidInputException(
                $"A mixture needs as many means, standard deviations and classes as weights, and at least 1: it has {components} weights, "
                    + $"{means.Count} means, {stds.Count} standard deviations{(classes is null ? "" : $", {classes.Count} classes")}.");
        }

        for (int k = 0; k < components; k++)
            CheckComponent(shape, k, weights[k], means[k], stds[k]);

        double total = weights.Sum();
        if (!(Math.Abs(total - 1) <= 1e-6))
            throw new InvalidInputException($"The mixture's weights sum to {total:R}; they must sum to 1.");

        Shape = shape;
        Weights = [.. weights];
        Means = [.. means.Select(m => m.ToImmutableArray())];
        Stds = [.. stds];
        if (classes is not null)
        {
            ComponentClasses = [.. classes];
            Classes = CheckedClassCount(classes);
        }
    }

    public ImageShape Shape { get; }
    public ImmutableArray<double> Weights { get; }

    /// <summary>The means m_k, each of the shape's dimension.</summary>
    public ImmutableArray<ImmutableArray<double>> Means { get; }

    public ImmutableArray<double> Stds { get; }

    /// <summary>The class of each component; empty for a mixture without classes.</summary>
    public ImmutableArray<int> ComponentClasses { get; } = [];

    public int Classes { get; }

    /// <summary>Gaussian data N(m, c^2 I): the mixture of one component.</summary>
    public static GaussianMixture Gaussian(ImageShape shape, double mean, double std)
        => new(shape, [1.0], [[.. Enumerable.Repeat(mean, (int)shape.Dimension)]], [std]);

    /// <summary>Draws images; each depends on its own seed only.</summary>
    /// <param name="type">float32 or float64 (default).</param>
    /// <returns>Images [B,C,H,W] and labels int64 [B] (-1 for a mixture without classes), both on the CPU; the caller owns them.</returns>
    public (Tensor Images, Tensor Labels) Sample(IReadOnlyList<long> seeds, ScalarType type = ScalarType.Float64)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var images = new List<Tensor>(seeds.Count);
        var labels = new long[seeds.Count];
        for (int i = 0; i < seeds.Count; i++)
        {
            using var generator = new Generator(unchecked((ulong)seeds[i]) ^ ImageStream);
            int k = ComponentAt(rand(1, dtype: float64, generator: generator).item<double>());
            labels[i] = Classes == 0 ? -1 : ComponentClasses[k];
            var noise = randn(Shape.Batch(1), dtype: float64, generator: generator);
            images.Add(tensor([.. Means[k]], float64).view(Shape.Batch(1)).Plus(noise.Times(Stds[k])));
        }

        return (cat(images).to(type).MoveToOuterDisposeScope(), tensor(labels).MoveToOuterDisposeScope());
    }

    private int ComponentAt(double uniform)
    {
        double cumulative = 0;
        for (int k = 0; k < Weights.Length - 1; k++)
        {
            cumulative += Weights[k];
            if (uniform < cumulative)
                return k;
        }

        return Weights.Length - 1;
    }

    private static void CheckComponent(ImageShape shape, int k, double weight, IReadOnlyList<double> mean, double std)
    {
        if (!(weight > 0) || !double.IsFinite(weight))
            throw new InvalidInputException($"Mixture weight {k} is {weight:R}; weights must be finite and above 0.");
        if (!(std >= 0) || !double.IsFinite(std))
            throw new InvalidInputException($"Mixture standard deviation {k} is {std:R}; it must be finite and 0 or more.");
        if (mean.Count != shape.Dimension)
            throw new InvalidInputException($"Mixture mean {k} has {mean.Count} values; an image of shape {shape} has {shape.Dimension}.");

        for (int j = 0; j < mean.Count; j++)
        {
            if (!double.IsFinite(mean[j]))
                throw new InvalidInputException($"Mixture mean {k}, value {j} is {mean[j]:R}; means must be finite.");
        }
    }

    private static int CheckedClassCount(IReadOnlyList<int> classes)
    {
        int[] distinct = [.. classes.Distinct().Order()];
        if (distinct[0] != 0 || distinct[^1] != distinct.Length - 1)
        {
            throw new InvalidInputException("The mixture's component classes must cover 0 to the largest without a gap; they are "
                + $"{string.Join(", ", distinct.Take(20))}.");
        }

        return distinct.Length;
    }
}
