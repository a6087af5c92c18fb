namespace FewStep.Denoising;

/// <summary>A distribution of images with a known denoiser: sum_k w_k N(m_k, c_k^2 I).</summary>
internal sealed record GaussianMixture
{
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
