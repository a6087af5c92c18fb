using System.Globalization;
using FewStep.Deploy;
using FewStep.Deploy.Serving;
using Microsoft.Extensions.AI;

namespace WebApi;

/// <summary>The sampler as the image generator of Microsoft.Extensions.AI, for code that knows that interface alone. The models are
/// class-conditional, not told by text: a prompt is a class by name or index, or empty.</summary>
internal sealed class FewStepImageGenerator(QueuedSampler queue, FewStepSampler sampler) : IImageGenerator
{
    /// <summary>Key of <see cref="ImageGenerationOptions.AdditionalProperties"/>: the first image's seed, a whole number; the next images
    /// have the next seeds. Left out, it is drawn at random.</summary>
    public const string Seed = "seed";

    private const string Png = "image/png";
    private readonly ImageGeneratorMetadata _metadata = new("FewStep", defaultModelId: sampler.Description.Model);

    public async Task<ImageGenerationResponse> GenerateAsync(
        ImageGenerationRequest request, ImageGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (request.OriginalImages?.Any() == true)
            throw new ArgumentException("Images cannot be edited; leave the original images out.", nameof(request));
        if (options?.MediaType is { } type && type != Png)
            throw new ArgumentException($"Images are {Png}, not {type}.", nameof(options));
        if (options?.ImageSize is { } size && (size.Width, size.Height) != (sampler.Description.Width, sampler.Description.Height))
        {
            throw new ArgumentException(
                $"Images have {sampler.Description.Width} x {sampler.Description.Height} pixels, not {size.Width} x {size.Height}.",
                nameof(options));
        }

        int count = options?.Count ?? 1;
        if (count < 1)
            throw new ArgumentException($"{count} images cannot be made.", nameof(options));
        long first = options?.AdditionalProperties?.TryGetValue(Seed, out long seed) == true ? seed
            : Random.Shared.NextInt64(uint.MaxValue);
        long[]? labels = Label(request.Prompt) is { } label ? [.. Enumerable.Repeat(label, count)] : null;
        var images = await queue.GenerateAsync([.. Enumerable.Range(0, count).Select(i => first + i)], labels, cancellationToken);
        return new ImageGenerationResponse([.. Enumerable.Range(0, count).Select(i => new DataContent(images.GetPng(i), Png))])
        {
            RawRepresentation = images,
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType == typeof(ImageGeneratorMetadata) ? _metadata
        : serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
        // Queue and sampler belong to the application.
    }

    private long? Label(string? prompt)
    {
        if (string.IsNullOrWhiteSpace(prompt))
            return null;
        var names = sampler.Description.ClassNames;
        int named = names.Index().Where(n => n.Item.Equals(prompt.Trim(), StringComparison.OrdinalIgnoreCase))
            .Select(n => n.Index).FirstOrDefault(-1);
        if (named >= 0)
            return named;
        string classes = names.Count > 0 ? string.Join(", ", names) : $"0 to {sampler.Description.Classes - 1}";
        return long.TryParse(prompt, NumberStyles.None, CultureInfo.InvariantCulture, out long label) ? label
            : throw new ArgumentException($"The model is told classes, not text; a prompt is one of {classes}.");
    }
}
