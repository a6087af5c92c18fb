using System.Text.Json.Nodes;
using FewStep.Noise;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class LossCurveFileTests : FolderTests
{
    private string File => _folder.File("loss-curve.json");

    [Fact]
    public void WrittenAndReadItIsTheSameCurve()
    {
        var curve = Curve();
        LossCurveFile.Write(File, curve);
        var read = LossCurveFile.Read(File);
        Assert.Equal(curve.Sigmas, read.Sigmas);
        Assert.Equal(curve.Loss, read.Loss);
        Assert.Equal(curve.StandardError, read.StandardError);
        Assert.Equal((curve.Images, curve.Confidence, curve.Origin), (read.Images, read.Confidence, read.Origin));
        var schedule = new SamplingSchedule([4, 3, 1.5, 1]);
        Assert.Equal(DiscretizationLoss.Estimate(curve, new PowerWeighting(), schedule),
            DiscretizationLoss.Estimate(read, new PowerWeighting(), schedule));
        var json = JsonNode.Parse(System.IO.File.ReadAllText(File))!;
        Assert.Equal(1, (int)json["version"]!);
        Assert.Equal("image_limit_reached", (string)json["stop_reason"]!);
    }

    [Theory]
    [InlineData("version", "2")]
    [InlineData("version", null)]
    [InlineData("sigmas", "[1, 2, 4, 3]")]
    [InlineData("sigmas", "[0, 2, 3, 4]")]
    [InlineData("sigmas", "[1, 2, 3, 1e999]")]
    [InlineData("sigmas", "[1, 2, 3]")]
    [InlineData("sigmas", "[]")]
    [InlineData("sigmas", "null")]
    [InlineData("sigmas", "\"1\"")]
    [InlineData("loss", "[0.1, 0.2, -0.3, 0.4]")]
    [InlineData("loss", "[0, 0, 0, 0]")]
    [InlineData("loss", "[0.1, \"NaN\", 0.3, 0.4]")]
    [InlineData("loss", "[0.1, 0.2, 0.35, 0.4]")]
    [InlineData("images", "1")]
    [InlineData("images", "-5")]
    [InlineData("images", "1e30")]
    [InlineData("confidence", "1")]
    [InlineData("network_evaluations", "-1")]
    [InlineData("seconds", "-1")]
    [InlineData("seconds", "1e999")]
    [InlineData("stop_reason", "\"bored\"")]
    [InlineData("stop_reason", "0")]
    [InlineData("standard_error", "[0.1]")]
    [InlineData("standard_error", "[0.1, 0.1, 0.1, 0.1]")]
    [InlineData("ci_high", "[9, 9, 9, 9]")]
    [InlineData("covariance", "[[1]]")]
    [InlineData("covariance", "[null, null, null, null]")]
    [InlineData("covariance", "[[1, 9, 0, 0], [9, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]")]
    [InlineData("covariance", "[[1, 0.5, 0, 0], [0.4, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]")]
    [InlineData("covariance", "[[-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]")]
    public void AHostileFileIsRefusedInOneLine(string name, string? value)
    {
        LossCurveFile.Write(File, Curve());
        var json = JsonNode.Parse(System.IO.File.ReadAllText(File))!.AsObject();
        json.Remove(name);
        string text = json.ToJsonString();
        System.IO.File.WriteAllText(File, value is null ? text : $"{{\"{name}\": {value}, {text[1..]}");
        string message = Assert.Throws<InvalidInputException>(() => LossCurveFile.Read(File)).Message;
        Assert.Contains(File, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void ACurveOfAnotherModelIsRefused()
    {
        LossCurveFile.Write(File, Curve());
        Assert.Null(LossCurveFile.ReadFor(File, "any").Origin.ModelHash);
        LossCurveFile.Write(File, Curve("this"));
        Assert.Equal("this", LossCurveFile.ReadFor(File, "this").Origin.ModelHash);
        Assert.Contains("another model", Assert.Throws<InvalidInputException>(() => LossCurveFile.ReadFor(File, "that")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void OtherFilesAreRefused()
    {
        Assert.Throws<InvalidInputException>(() => LossCurveFile.Read(File));
        foreach (string text in (string[])["", "null", "[]", "{}", "{\"version\": 1", "\0\0"])
        {
            System.IO.File.WriteAllText(File, text);
            Assert.Throws<InvalidInputException>(() => LossCurveFile.Read(File));
        }
    }

    private static LossCurve Curve(string? modelHash = null) => new(
        [1, 2, 3, 4],
        [0.1, 0.2, 0.3, 0.4],
        [[1e-4, 5e-5, 0, 0], [5e-5, 2e-4, 1e-4, 0], [0, 1e-4, 3e-4, 2e-4], [0, 0, 2e-4, 4e-4]],
        100,
        new LossCurveOrigin(800, 1.5, LossCurveStop.ImageLimitReached, 0.03, 7, modelHash, RelativeRegret: 0.02, MeanImageLoss: 0.25));
}
