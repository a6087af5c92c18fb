namespace FewStep.Denoising;

/// <summary>A denoiser that can say whether it knows images without a class.</summary>
internal interface IKnowsNoClass
{
    /// <summary>Whether the label -1, "no class", means something to it.</summary>
    bool KnowsNoClass { get; }
}

/// <summary>Whether images are such as a model denoises: of its shape and its classes.</summary>
internal static class ImageFit
{
    /// <summary>Refuses images of another shape, of more classes than the model has, or without labels where the model knows no "no
    /// class": its denoised images would be meaningless, and nothing would say so.</summary>
    /// <param name="classes">Number of the images' classes; 0 for no labels.</param>
    /// <param name="what">What the images are, e.g. <c>training</c>.</param>
    public static void Check(IDenoiser model, ImageShape shape, int classes, string what)
        => Check(model, null, shape, classes, what);

    /// <param name="autoencoder">What the images are encoded by; null for none.</param>
    public static void Check(IDenoiser model, IAutoencoder? autoencoder, ImageShape shape, int classes, string what)
    {
        if (shape != (autoencoder?.ImagesOf(model.Shape) ?? model.Shape))
        {
            string made = autoencoder is null ? $"{model.Shape}" : $"latents of {autoencoder.ImagesOf(model.Shape)}";
            throw new InvalidInputException(
                $"The {what} images are {shape}, but the model denoises {made}: choose the images that it was trained on.");
        }

        if (model.Classes > 0 && classes > model.Classes)
        {
            throw new InvalidInputException($"The {what} images have {classes} classes, but the model has {model.Classes}: choose the "
                + "images that it was trained on.");
        }

        if (model.Classes > 0 && classes == 0 && model is IKnowsNoClass { KnowsNoClass: false })
        {
            throw new InvalidInputException($"The {what} images have no labels, but the model has {model.Classes} classes and was "
                + "trained without label dropout, so it knows no \"no class\": give the images labels, by dataset.json or class folders.");
        }
    }

    /// <summary>What to know about images that pass: fewer classes than the model's may be other classes. Null for nothing.</summary>
    public static string? Remark(IDenoiser model, int classes) => model.Classes == 0 || classes == model.Classes ? null
        : classes == 0 ? $"The images have no labels: the model's {model.Classes} classes are not used, and \"no class\" is taken for all."
        : $"The images have {classes} classes, the model {model.Classes}: they are taken for its first ones, 0 to {classes - 1}. Where "
            + "they are others, give their numbers in dataset.json.";
}
