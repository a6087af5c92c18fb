using TorchSharp;

namespace FewStep.Denoising;

/// <summary>A model under guidance: D = D_guide + w (D - D_guide) at the noise levels of an interval, D elsewhere.</summary>
/// <remarks>
/// The guide is the model itself without labels (classifier-free guidance, Ho and Salimans 2022, 2207.12598), or a weaker model
/// (autoguidance, Karras et al. 2024, 2406.02507). It is evaluated only for images that it acts on, and every evaluation of either counts.
/// </remarks>
internal sealed class GuidedDenoiser : IEvaluationCount, IKnowsNoClass
{
    private GuidedDenoiser(IDenoiser model, IDenoiser guide, Guidance guidance, bool guideSeesLabels)
    {
        guidance.Validate();
        (Model, GuideModel, Guidance, GuideSeesLabels) = (new CountingDenoiser(model), new CountingDenoiser(guide), guidance,
            guideSeesLabels);
        KnowsNoClass = model is not IKnowsNoClass { KnowsNoClass: false };
        (SigmaMin, SigmaMax) = (Math.Max(model.SigmaMin, guide.SigmaMin), Math.Min(model.SigmaMax, guide.SigmaMax));
        if (!(SigmaMin < SigmaMax))
        {
            throw new InvalidInputException(
                $"The model was made for sigma {model.SigmaMin:G6} to {model.SigmaMax:G6} and its guide for {guide.SigmaMin:G6} to "
                    + $"{guide.SigmaMax:G6}, which do not meet; choose another guide.");
        }
    }

    public CountingDenoiser Model { get; }
    public CountingDenoiser GuideModel { get; }
    public Guidance Guidance { get; }

    /// <summary>Whether the guide is told the labels, as another model is.</summary>
    public bool GuideSeesLabels { get; }

    public ImageShape Shape => Model.Shape;
    public int Classes => Model.Classes;
    public Device Device => Model.Device;
    public double SigmaMin { get; }
    public double SigmaMax { get; }
    public bool KnowsNoClass { get; }

    /// <summary>Guides a conditional model by itself without labels. Images whose label is -1 are not guided: it would change
    /// nothing.</summary>
    /// <param name="model">A model with classes that knows "no class", for it was trained with label dropout; not disposed here.</param>
    public static GuidedDenoiser ClassifierFree(IDenoiser model, Guidance guidance) => model.Classes > 0
        ? new GuidedDenoiser(model, model, guidance, guideSeesLabels: false)
        : throw new InvalidInputException(
            "Classifier-free guidance needs a model with classes, and this one has none; guide it by a weaker model.");

    /// <summary>Guides a model by a weaker one of the same images.</summary>
    /// <param name="model">The model; not disposed here.</param>
    /// <param name="guide">The weaker model, with as many classes or none; not disposed here.</param>
    public static GuidedDenoiser Auto(IDenoiser model, IDenoiser guide, Guidance guidance)
    {
        if (guide.Shape != model.Shape || (guide.Classes != 0 && guide.Classes != model.Classes))
        {
            throw new InvalidInputException($"The guide makes images of {guide.Shape} in {guide.Classes} classes, the model of "
                + $"{model.Shape} in {model.Classes}; a guide makes the same images, in as many classes or none.");
        }

        return new GuidedDenoiser(model, guide, guidance, guideSeesLabels: true);
    }

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels) => Denoise(x, sigma, labels, out _);

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels, out long cost)
    {
        using var scope = NewDisposeScope();
        var D = Model.Denoise(x, sigma, labels, out cost);
        if (Guidance.Weight == 1 || (!GuideSeesLabels && labels is null))
            return D.MoveToOuterDisposeScope();
        if (GuideSeesLabels && Guidance.ActsEverywhere)
            return Guided(D, Guide(x, sigma, labels, ref cost)).MoveToOuterDisposeScope();

        // How many images the guide is evaluated for must be known here: the one number that a GPU is asked for.
        var acts = Acts(sigma, labels, x.shape[0]);
        long count = acts.sum().item<long>();
        if (count == 0)
            return D.MoveToOuterDisposeScope();
        var guideLabels = GuideSeesLabels ? labels : null;
        if (count == x.shape[0])
            return Guided(D, Guide(x, sigma, guideLabels, ref cost)).MoveToOuterDisposeScope();
        var rows = acts.nonzero().view(-1);
        var levels = sigma.NumberOfElements == 1 ? sigma : sigma.index_select(0, rows);
        var guide = Guide(x.index_select(0, rows), levels, guideLabels?.index_select(0, rows), ref cost);
        return D.index_copy(0, rows, Guided(D.index_select(0, rows), guide)).MoveToOuterDisposeScope();
    }

    private Tensor Guide(Tensor x, Tensor sigma, Tensor? labels, ref long cost)
    {
        var denoised = GuideModel.Denoise(x, sigma, labels, out long own);
        cost += own;
        return denoised;
    }

    // D + (w - 1) (D - D_guide): the same, and exact where the two agree.
    private Tensor Guided(Tensor D, Tensor guide)
    {
        var guided = D.Plus((D - guide).Times(Guidance.Weight - 1));
        return Guidance.Rescale == 0 ? guided : Rescaled(guided, D);
    }

    // phi x std(D) / std(x) + (1 - phi) x, of each image.
    private Tensor Rescaled(Tensor x, Tensor D)
    {
        const double tiny = 1e-12; // an image of one value keeps it
        Tensor Deviation(Tensor images) => (images - images.mean([1, 2, 3], keepdim: true)).Squared().mean([1, 2, 3], keepdim: true).sqrt();
        var factor = Deviation(D) / Deviation(x).Plus(tiny);
        return x * factor.Times(Guidance.Rescale).Plus(1 - Guidance.Rescale);
    }

    // Which images are guided, bool [B] on the device of sigma.
    private Tensor Acts(Tensor sigma, Tensor? labels, long batch)
    {
        using Scalar low = TensorArithmetic.Number(Guidance.SigmaLow), high = TensorArithmetic.Number(Guidance.SigmaHigh);
        var inside = ((sigma > low) & (sigma <= high)).expand(batch);
        return GuideSeesLabels ? inside : inside & (labels! >= TensorArithmetic.Zero).to(sigma.device);
    }
}
