using FewStep.Denoising;
using FewStep.Reporting;
using FewStep.Reporting.Sections;

namespace FewStep.Tests.Reporting;

public sealed class PromptReportTests
{
    [Fact]
    public void A_report_says_the_prompts_of_its_pictures_and_the_latents_of_its_model()
    {
        string[] prompts = ["a cat", "a dog", "<b>"];
        var full = SampleSummary.Full();
        var model = full.Model! with { Classes = 3, Prompts = prompts, NegativePrompt = "blurred", Latents = new ImageShape(4, 14, 14) };
        var page = new ReportPage(full with { Model = model });
        var list = new ImagesSection().Blocks(page).OfType<ListBlock>().Single();
        Assert.Equal(full.ImageStrips[0].Seeds.Select(s => $"Seed {s}: {prompts[s % 3]}"), list.Items);
        var facts = new HashesSection().Blocks(page).OfType<FactsBlock>().Single().Facts;
        Assert.Contains(("Prompts", "3: a cat; a dog; <b>"), facts);
        Assert.Contains(("Negative prompt", "blurred"), facts);
        Assert.Contains(facts, f => f.Name == "Latents");
        Assert.Empty(new ImagesSection().Blocks(new ReportPage(full)).OfType<ListBlock>());
    }
}
