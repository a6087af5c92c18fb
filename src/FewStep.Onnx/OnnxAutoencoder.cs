using FewStep.Denoising;
using System.Text.Json;

namespace FewStep.Onnx;

/// <summary>The autoencoder of an ONNX pipeline: z = (mean - shift) scale.</summary>
internal sealed class OnnxAutoencoder : IAutoencoder
{
    // Of diffusers' AutoencoderKL, where its configuration says nothing else.
    private const double UsualScale = 0.18215;
    private const int MostLevels = 8, MostChannels = 1024;

    private readonly OnnxPart _decoder;
    private readonly OnnxPart? _encoder;
    private readonly OnnxInput _latents;
    private readonly string _images;
    private readonly double _scale, _shift;
    private readonly int _factor, _channels, _imageChannels;

    /// <param name="decoder">Not owned.</param>
    /// <param name="encoder">Null where there is none; not owned.</param>
    public OnnxAutoencoder(OnnxPart decoder, OnnxPart? encoder)
    {
        (_decoder, _encoder) = (decoder, encoder);
        _latents = decoder.Input("latent_sample", "latents");
        _images = OnlyOutput(decoder);
        (_scale, _shift) = (decoder.Number("scaling_factor") ?? UsualScale, decoder.Number("shift_factor") ?? 0);
        _channels = Count(decoder, "latent_channels", 4);
        _imageChannels = Count(decoder, "out_channels", 3);
        _factor = Factor(decoder);
        if (_scale == 0)
            throw new InvalidInputException($"{decoder.Folder("config.json")}: scaling_factor is 0, by which latents are divided.");
        foreach (string key in new[] { "latents_mean", "latents_std" })
        {
            if (decoder.Config.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Null)
            {
                throw new InvalidInputException(
                    $"{decoder.Folder("config.json")}: {key} is given; only scaling and shift factors are known.");
            }
        }

        Hash = Sha256.Of($"{decoder.Hash}\n{encoder?.Hash}");
    }

    public string Hash { get; }

    /// <summary>Channels of its latents.</summary>
    public int Channels => _channels;

    /// <summary>Shape of the latents that images of a shape are encoded to.</summary>
    public ImageShape LatentsOf(ImageShape images)
        => images.Channels == _imageChannels && images.Height % _factor == 0 && images.Width % _factor == 0
        ? new ImageShape(_channels, images.Height / _factor, images.Width / _factor)
        : throw new InvalidInputException($"{_decoder.Path} makes images of {_imageChannels} channels whose sides are multiples of "
            + $"{_factor}, not {images}; choose another shape.");

    public ImageShape ImagesOf(ImageShape latents) => latents.Channels == _channels
        ? new ImageShape(_imageChannels, checked(latents.Height * _factor), checked(latents.Width * _factor))
        : throw new InvalidInputException(
            $"{_decoder.Path} decodes latents of {_channels} channels, the network beside it denoises {latents}: they do not belong "
                + "together.");

    public Tensor Encode(Tensor images)
    {
        if (_encoder is null)
        {
            throw new InvalidInputException($"{_decoder.Path} decodes, and its pipeline has no vae_encoder/model.onnx, which a loss curve "
                + "and training images need; add it.");
        }

        var input = _encoder.Input("sample", "pixel_values");
        var encoded = Checked(_encoder, _encoder.Run(input, images, OnlyOutput(_encoder)), images.shape[0], [_channels, 2 * _channels],
            images.shape[2] / _factor, images.shape[3] / _factor);
        return encoded.narrow(1, 0, _channels).Plus(-_shift).Times(_scale); // further channels are the logarithm of a variance
    }

    public Tensor Decode(Tensor latents)
    {
        var unscaled = latents.to(float32).Over(_scale).Plus(_shift);
        return Checked(_decoder, _decoder.Run(_latents, unscaled, _images), latents.shape[0], [_imageChannels],
            latents.shape[2] * _factor, latents.shape[3] * _factor);
    }

    private static string OnlyOutput(OnnxPart part) => part.Outputs.Count() == 1 ? part.Outputs.Single()
        : throw new InvalidInputException($"{part.Path} has the outputs {string.Join(", ", part.Outputs.Take(8).Select(Printable.Text))}; "
            + "an autoencoder's part has one.");

    private static Tensor Checked(OnnxPart part, Tensor made, long batch, int[] channels, long height, long width)
    {
        long[] sizes = made.shape;
        return sizes is [var b, var c, var h, var w] && b == batch && channels.Contains((int)c) && h == height && w == width
            ? made.to(float32)
            : throw new InvalidInputException($"{part.Path} gives [{string.Join(",", sizes)}], not [{batch},{channels[0]},{height},{width}]"
                + "; its configuration is that of another network.");
    }

    private static int Count(OnnxPart part, string key, int usual)
    {
        double number = part.Number(key) ?? usual;
        return number is >= 1 and <= MostChannels && number == Math.Floor(number) ? (int)number
            : throw new InvalidInputException($"{part.Folder("config.json")}: {key} is {number}, no number of channels.");
    }

    // Each level but the last halves the sides.
    private static int Factor(OnnxPart part)
    {
        int levels = part.Config.TryGetValue("block_out_channels", out var channels) && channels.ValueKind == JsonValueKind.Array
            ? channels.GetArrayLength()
            : throw new InvalidInputException($"{part.Folder("config.json")} lacks block_out_channels, whose number says how many times "
                + "larger than latents images are; fetch the configuration of the autoencoder.");
        return levels is >= 1 and <= MostLevels ? 1 << (levels - 1)
            : throw new InvalidInputException($"{part.Folder("config.json")}: block_out_channels has {levels} levels; 1 to {MostLevels} "
                + "are known.");
    }
}
