namespace FewStep.Denoising;

/// <summary>The JSON file of a Gaussian mixture:
/// <c>{"kind":"gaussian-mixture","weights":[..],"means":[[..]],"stds":[..],"shape":[C,H,W]}</c>, optionally with <c>"classes":[..]</c>, a
/// class for each component, and <c>"sigma_min"</c>, <c>"sigma_max"</c>, the noise levels of its schedules.</summary>
internal static class MixtureFile
{
    public const string Kind = "gaussian-mixture";

    public static GaussianMixture Read(string path) => Read(path, out _);

    /// <param name="levels">The noise levels of its schedules: EDM's where the file says none.</param>
    public static GaussianMixture Read(string path, out (double Low, double High) levels)
    {
        var content = JsonFile.Read<Content>(path);
        if (content.Kind != Kind)
        {
            throw new InvalidInputException(
                $"{path} is of kind '{Printable.Line(content.Kind, 40)}'; a mixture file says \"kind\": \"{Kind}\".");
        }

        if (content.Shape is not [int channels, int height, int width])
            throw new InvalidInputException($"{path}: shape has {content.Shape.Length} sizes; it must be [channels, height, width].");
        if (content.Means.Contains(null!))
            throw new InvalidInputException($"{path}: a mean is null; each must be a list of numbers.");
        try
        {
            levels = (content.SigmaMin ?? EdmPreconditioning.UsualMinimum, content.SigmaMax ?? EdmPreconditioning.UsualMaximum);
            if (!(levels.Low >= SigmaLimits.Smallest) || !(levels.High > levels.Low) || !(levels.High <= SigmaLimits.Largest))
            {
                throw new InvalidInputException($"its noise levels must satisfy {SigmaLimits.Smallest} <= sigma_min < sigma_max <= "
                    + $"{SigmaLimits.Largest}; they are {levels.Low} and {levels.High}.");
            }

            return new GaussianMixture(
                new ImageShape(channels, height, width), content.Weights, content.Means, content.Stds, content.Classes);
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{path}: {e.Message}", e);
        }
    }

    private sealed record Content(string Kind, int[] Shape, double[] Weights, double[][] Means, double[] Stds, int[]? Classes = null,
        double? SigmaMin = null, double? SigmaMax = null);
}
